import MillraceServer
import NIOCore
import Testing

@Suite("The names of a run's jobs")
struct BenchJobNamesTests {
    private let names = BenchJobNames(seed: 0xAB)

    @Test("a job's number is found again in what FETCH brings", arguments: [0, 7, 9_999_999])
    func roundTrip(job: Int) {
        let document = ByteBuffer(string: "{\"queue\":\"q\",\"jid\":\"\(self.names.jobID(of: job))\",\"args\":[]}")
        #expect(self.names.job(in: document) == job)
    }

    @Test(
        "what is not a job of this run has no number",
        arguments: [
            "", "{}", "{\"jid\":\"", "{\"jid\":\"other\"}", "{\"jid\":\"bench-000000ac-00000001\"}",
            "{\"jid\":\"bench-000000ab-0000000x\"}", "{\"jid\":\"bench-000000ab-000000010\"}",
            "{\"jid\":\"bench-000000ab-00000001",
        ]
    )
    func stranger(document: String) {
        #expect(self.names.job(in: ByteBuffer(string: document)) == nil)
    }
}
