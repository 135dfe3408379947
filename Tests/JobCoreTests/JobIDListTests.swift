import JobCore
import Testing

@Suite("A list of very many jids")
struct JobIDListTests {
    @Test("gives back what was put in, a few at a time")
    func slices() {
        let texts = ["a", "", "order-000001", "é\u{1F600}", "a"]
        let list = JobIDList(texts)
        #expect(list.count == 5)
        #expect(list.jobIDs == texts.map { JobID($0) })
        for count in 1...6 {
            var offset = 0
            var found: [JobID] = []
            while case let more = list.next(count, from: &offset), !more.isEmpty {
                #expect(more.count <= count)
                found += more
            }
            #expect(found == list.jobIDs)
        }
        #expect(list.contains(JobID("order-000001")))
        #expect(!list.contains(JobID("order-00000")))
        #expect(JobIDList().isEmpty)
    }

    @Test("takes its own bytes, and none that have another number of jids")
    func bytes() {
        let list: JobIDList = ["first", "", "second"]
        let parsed = list.bytes.withUnsafeBytes { JobIDList($0, count: 3) }
        #expect(parsed == list)
        for count in [0, 2, 4] { #expect(list.bytes.withUnsafeBytes { JobIDList($0, count: count) } == nil) }
        for length in 0..<list.bytes.count {
            #expect(Array(list.bytes.prefix(length)).withUnsafeBytes { JobIDList($0, count: 3) } == nil)
        }
    }
}
