@testable import FaktoryClient
import Foundation
import Testing

@Suite("Job request")
struct JobRequestTests {
    private func text(_ job: JobRequest) -> String {
        String(decoding: job.payload, as: UTF8.self)
    }

    @Test("a job is one line with what was set, and nothing else")
    func golden() throws {
        var job = try JobRequest("Résumé", arguments: 1, "a/b\n\"c\"", [true], Int?.none, ["k": 1.5])
        job.id = "id-000001"
        let head =
            "{\"jid\":\"id-000001\",\"jobtype\":\"Résumé\",\"args\":[1,\"a/b\\n\\\"c\\\"\",[true],null,{\"k\":1.5}]"
        #expect(self.text(job) == head + ",\"queue\":\"default\"}")

        job.queue = "q"
        job.retry = -1
        job.reserveFor = .milliseconds(60_001)
        job.at = Date(timeIntervalSince1970: 1_700_000_000.25)
        try job.setCustom("track", to: 1)
        try job.setCustom("a", to: "x")
        let tail =
            ",\"retry\":-1,\"reserve_for\":61,\"at\":\"2023-11-14T22:13:20.250Z\",\"custom\":{\"a\":\"x\",\"track\":1}}"
        #expect(self.text(job) == head + ",\"queue\":\"q\"" + tail)
    }

    @Test("ids have 24 hexadecimal digits and do not come twice")
    func ids() throws {
        let ids = try (1...1000).map { _ in try JobRequest("T").id }
        #expect(Set(ids).count == 1000)
        #expect(ids.allSatisfy { $0.count == 24 && $0.allSatisfy { "0123456789abcdef".contains($0) } })
    }

    @Test("arguments that are JSON already are sent as they are, without line breaks")
    func raw() throws {
        var job = try JobRequest("T", argumentsJSON: " [1.0,\r\n12345678901234567890, \"a\\nb\"]\n")
        job.id = "id-000001"
        let arguments = " [1.0,  12345678901234567890, \"a\\nb\"] "
        #expect(self.text(job).contains("\"args\":\(arguments),"))
        #expect(!self.text(job).contains("\n"))
    }

    @Test("arguments that are no array are refused", arguments: ["", "{}", "1", "[1", "[1] 2", "[\"a\nb\"]", "[1,]"])
    func noArray(json: String) {
        let error = #expect(throws: FaktoryError.self) { try JobRequest("T", argumentsJSON: json) }
        #expect(error?.code == .invalidJob)
    }

    @Test("a value that has no JSON is refused")
    func unencodable() {
        let error = #expect(throws: FaktoryError.self) { try JobRequest("T", arguments: Double.nan) }
        #expect(error?.code == .invalidJob)
    }
}
