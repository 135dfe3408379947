@testable import FaktoryClient
import Testing

@Suite("Fetched job")
struct FetchedJobTests {
    private func job(_ json: String) throws -> FetchedJob {
        try FetchedJob(payload: Array(json.utf8))
    }

    @Test("what a worker needs is read, keys in any case, and the rest is kept")
    func whole() throws {
        let json = """
            { "Jid" : "id-000001" , "JobType":"T","queue":"q","reserve_for":90,"args":[ 17 , "a\\u0062" ,{"x":[1.10]}],
            "failure":{"retry_count":2},"custom":{"locale":"de","n":12345678901234567890},"new":null}
            """
        let job = try self.job(json)
        #expect((job.id, job.jobType, job.queue) == ("id-000001", "T", "q"))
        #expect(job.failureCount == 3)
        #expect(job.reserveFor == .seconds(90))
        #expect(job.payload == Array(json.utf8))
        #expect(job.argumentsJSON == ["17", "\"a\\u0062\"", "{\"x\":[1.10]}"])
        #expect(try job.custom("locale") == "de")
        #expect(try job.custom("n") == UInt64(12_345_678_901_234_567_890))
        #expect(try job.custom("none", as: String.self) == nil)

        let (number, text) = try job.arguments(as: Int.self, String.self)
        #expect((number, text) == (17, "ab"))
    }

    @Test("a job that has only what it must have has never failed and no arguments")
    func least() throws {
        let job = try self.job("{\"jid\":\"j\",\"jobtype\":\"T\",\"args\":[]}")
        #expect(job.queue == "default")
        #expect(job.failureCount == 0)
        #expect(job.argumentCount == 0)
    }

    @Test(
        "a job without what it must have is refused",
        arguments: [
            "", "[]", "null", "{", "{}", "{\"jid\":1,\"jobtype\":\"T\",\"args\":[]}", "{\"jid\":\"j\",\"args\":[]}",
            "{\"jid\":\"j\",\"jobtype\":\"T\"}", "{\"jid\":\"j\",\"jobtype\":\"T\",\"args\":null}",
        ]
    )
    func refused(json: String) {
        let error = #expect(throws: FaktoryError.self) { try self.job(json) }
        #expect(error?.code == .undecodableJob)
    }

    @Test("an argument that is missing or of another type is an error that names it")
    func arguments() throws {
        let job = try self.job("{\"jid\":\"j\",\"jobtype\":\"Mail\",\"args\":[\"x\"]}")
        for index in [-1, 0, 1] {
            let error = #expect(throws: FaktoryError.self) { try job.argument(index, as: Int.self) }
            #expect(error?.code == .undecodableJob)
            #expect(error?.message.contains("Mail") == true)
        }
        #expect(throws: FaktoryError.self) { try job.arguments(as: String.self, String.self) }
    }

    @Test("arguments as deeply nested as servers allow are read")
    func deep() throws {
        let nested = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        let job = try self.job("{\"jid\":\"j\",\"jobtype\":\"T\",\"args\":[\(nested)]}")
        #expect(job.argumentsJSON == [nested])
    }
}
