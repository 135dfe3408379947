import ElectionEtcd
import TestSupport
import Testing

@Suite("An etcd that speaks TLS and asks for a certificate")
struct TLSTests {
    private let certificate: TestCertificate
    private let server: EtcdServer

    init() throws {
        self.certificate = try TestCertificate()
        self.server = try EtcdServer(
            scheme: "https",
            arguments: [
                "--cert-file", self.certificate.certificatePath, "--key-file", self.certificate.keyPath,
                "--client-cert-auth", "--trusted-ca-file", self.certificate.certificatePath,
            ]
        )
    }

    private func get(trusting authorities: String?, showing identity: EtcdConfiguration.TLS.Identity?) async throws {
        let configuration = try EtcdConfiguration(
            endpoints: [self.server.endpoint],
            tls: EtcdConfiguration.TLS(authoritiesPath: authorities, identity: identity)
        )
        try await EtcdClient.withClient(configuration, uptime: TestClock.uptime) { client in
            let isPut = try await client.transact(if: [], [.put("k", [1])])
            let entries = try await client.get(prefix: "k").entries
            #expect(isPut)
            #expect(entries.count == 1)
        }
    }

    private var identity: EtcdConfiguration.TLS.Identity {
        EtcdConfiguration.TLS.Identity(
            certificateChainPath: self.certificate.certificatePath,
            privateKeyPath: self.certificate.keyPath
        )
    }

    @Test("serves who trusts it and shows the certificate")
    func trusted() async throws {
        try await self.get(trusting: self.certificate.certificatePath, showing: self.identity)
    }

    @Test("is told nothing by who does not trust it, and tells nothing to who shows no certificate")
    func untrusted() async throws {
        for (authorities, identity) in [(nil, self.identity), (self.certificate.certificatePath, nil)] {
            let error = await #expect(throws: EtcdError.self) {
                try await self.get(trusting: authorities, showing: identity)
            }
            #expect(error?.isUnavailable == true, "\(String(describing: error))")
        }
    }

    @Test("a certificate that cannot be read is a clear error")
    func missing() async throws {
        let error = await #expect(throws: EtcdError.self) {
            try await self.get(trusting: self.certificate.certificatePath + ".missing", showing: self.identity)
        }
        #expect(error?.isUnavailable == false, "\(String(describing: error))")
    }
}
