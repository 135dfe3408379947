import ElectionEtcd
import TestSupport
import Testing

@Suite("An etcd that asks for a password")
struct AuthenticationTests {
    private let server: EtcdServer
    private let keys: ElectionKeys

    init() throws {
        self.server = try EtcdServer()
        self.keys = try ElectionKeys(cluster: "test")
        try self.server.requirePassword("root-secret", and: "m", password: "m-secret", for: self.keys.prefix)
    }

    @Test("lets a user with the right password do everything with its keys, and nothing with others")
    func right() async throws {
        try await self.server.withClient(credentials: .init(user: "m", password: "m-secret")) { client in
            let (outcome, lease) = try await client.campaign(for: self.keys.leader, as: "m1")
            #expect(outcome.revision != nil)
            _ = try await client.keepAlive(lease)
            var states = client.watch(prefix: self.keys.prefix).makeAsyncIterator()
            #expect(try #require(try await states.next()).entries[self.keys.leader]?.text == "m1")
            #expect(try await client.transact(if: [], [.put(self.keys.primary, [1])]))
            #expect(try #require(try await states.next()).entries.count == 2)

            let error = await #expect(throws: EtcdError.self) {
                try await client.transact(if: [], [.put("/millrace/other/leader", [1])])
            }
            #expect(error?.isUnauthorized == true, "\(String(describing: error))")
        }
    }

    @Test(
        "is a clear error for a wrong user or password",
        arguments: [("m", "wrong"), ("nobody", "m-secret"), ("m", "")]
    )
    func wrong(user: String, password: String) async throws {
        try await self.server.withClient(credentials: .init(user: user, password: password)) { client in
            let error = await #expect(throws: EtcdError.self) { try await client.get(prefix: self.keys.prefix) }
            #expect(error?.isUnauthorized == true, "\(String(describing: error))")

            var states = client.watch(prefix: self.keys.prefix).makeAsyncIterator()
            await #expect(throws: EtcdError.self) { try await states.next() }
        }
    }

    @Test("is a clear error for who gives no password")
    func missing() async throws {
        try await self.server.withClient { client in
            let error = await #expect(throws: EtcdError.self) { try await client.get(prefix: self.keys.prefix) }
            #expect(error?.isUnauthorized == true, "\(String(describing: error))")
        }
    }

    @Test("asks for the password again when it has forgotten the token")
    func forgotten() async throws {
        try await self.server.withClient(credentials: .init(user: "m", password: "m-secret")) { client in
            _ = try await client.get(prefix: self.keys.prefix)

            try self.server.restart()

            #expect(try await client.get(prefix: self.keys.prefix).entries.isEmpty)
        }
    }
}
