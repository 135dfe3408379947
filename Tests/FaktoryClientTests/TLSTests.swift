@testable import FaktoryClient
import Testing

@Suite("TLS", .timeLimit(.minutes(10)))
struct TLSTests {
    private func push(certificateFor name: String, options: (TestCertificate) -> TLSOptions) async throws {
        let certificate = try TestCertificate(for: name)
        let context = try certificate.serverContext()
        try await ScriptedServer.serving(tls: context, script: { _ in .ok }) { server in
            var configuration = server.configuration
            configuration.tls = options(certificate)
            configuration.reconnection.maximumAttemptCount = 1
            try await FaktoryClient(configuration: configuration).push(JobRequest("T"))
            #expect(server.lines("PUSH").count == 1)
        }
    }

    @Test("a server whose certificate is trusted and for its host is spoken to")
    func trusted() async throws {
        try await self.push(certificateFor: "IP:127.0.0.1") { TLSOptions(trustRoots: .pem($0.certificate)) }
    }

    @Test("a certificate of nobody that is trusted is refused")
    func untrusted() async throws {
        let error = await #expect(throws: FaktoryError.self) {
            try await self.push(certificateFor: "IP:127.0.0.1") { _ in TLSOptions() }
        }
        #expect(error?.code == .connectionFailed)
    }

    @Test("a certificate for another host is refused, unless the host's name is not to be verified")
    func otherHost() async throws {
        let error = await #expect(throws: FaktoryError.self) {
            try await self.push(certificateFor: "DNS:elsewhere") { TLSOptions(trustRoots: .pem($0.certificate)) }
        }
        #expect(error?.code == .connectionFailed)
        try await self.push(certificateFor: "DNS:elsewhere") {
            TLSOptions(trustRoots: .pem($0.certificate), verifiesHostname: false)
        }
    }

    @Test("trust roots that cannot be read are told before anything is connected")
    func unreadable() {
        for roots in [TLSOptions.TrustRoots.pem("no certificate"), .file("/nonexistent/roots.pem")] {
            var configuration = ClientConfiguration()
            configuration.tls = TLSOptions(trustRoots: roots)
            let error = #expect(throws: FaktoryError.self) { try FaktoryClient(configuration: configuration) }
            #expect(error?.code == .invalidConfiguration)
        }
    }
}
