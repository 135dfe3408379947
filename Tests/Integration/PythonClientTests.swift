import Testing

/// The two clients of PyPI, as they are published.
struct PythonClientTests {
    /// A scenario of one of the scripts.
    struct Scenario: Sendable, CustomTestStringConvertible {
        let script: String
        let name: String

        var testDescription: String { "\(self.script) \(self.name)" }
    }

    static let scenarios =
        [
            "push_and_work", "fail_and_retry", "schedule", "unique_and_expiring", "heartbeat", "queues", "consumer",
        ].map {
            Scenario(script: "run_pyfaktory.py", name: $0)
        } + ["work", "states"].map { Scenario(script: "run_faktory.py", name: $0) }

    @Test("the clients of PyPI push, work, fail, schedule and beat", arguments: scenarios)
    func plain(scenario: Scenario) async throws {
        try await withMillrace { server in
            try PythonClient.run(scenario.script, scenario.name, url: "tcp://127.0.0.1:\(server.port)")
        }
    }

    @Test(
        "a password is taken with the hash of today and with the single one of old",
        arguments: ["run_pyfaktory.py", "run_faktory.py"]
    )
    func password(script: String) async throws {
        try await withMillrace(variables: ["FAKTORY_PASSWORD": "open-sesame"]) { server in
            try PythonClient.run(script, "connect", url: "tcp://:open-sesame@127.0.0.1:\(server.port)")
            try PythonClient.run(script, "wrong_password", url: "tcp://:sesame@127.0.0.1:\(server.port)")
        }
    }

    @Test(
        "TLS comes from Faktory's two files in the config directory",
        arguments: ["run_pyfaktory.py", "run_faktory.py"]
    )
    func encrypted(script: String) async throws {
        try await withMillrace(configuration: try ServerCertificate().files) { server in
            try PythonClient.run(script, "connect", url: "tcp+tls://127.0.0.1:\(server.port)")
        }
    }
}
