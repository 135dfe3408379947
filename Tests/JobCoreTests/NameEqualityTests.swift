import JobCore
import Testing

@Suite("Names of jobs and workers")
struct NameEqualityTests {
    @Test("are the same when their bytes are, whatever Unicode thinks of them")
    func bytes() {
        let composed = JobID("caf\u{E9}-job-1")
        let decomposed = JobID("cafe\u{301}-job-1")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        // The same marks in another order: as many bytes, and the same text to Unicode.
        #expect(WorkerID("a\u{323}\u{307}") != WorkerID("a\u{307}\u{323}"))
    }

    @Test("are compared to their last byte", arguments: [0, 1, 7, 8, 9, 15, 16, 17, 255])
    func lengths(count: Int) {
        let text = String(repeating: "x", count: count)
        #expect(JobID(text) == JobID(String(text.map { $0 })))
        #expect(JobID(text + "a") != JobID(text + "b"))
        #expect(JobID(text + "a") != JobID(text))
        #expect(JobID(text).hashValue == JobID(String(text.map { $0 })).hashValue)
    }
}
