import ElectionEtcd
import Testing

@Suite("Settings for etcd")
struct EtcdConfigurationTests {
    @Test("an endpoint is a scheme, a host and a port", arguments: ["http://h:1", "https://[::1]:65535"])
    func legal(endpoint: String) throws {
        #expect(try EtcdConfiguration(endpoints: [endpoint]).endpoints == [endpoint])
    }

    @Test(
        "everything else is none",
        arguments: [
            "", "h:1", "http://h", "http://:1", "http://h:0", "http://h:65536", "http://h:1/", "http://u@h:1",
            "http://h:1?x", "ftp://h:1", "http://h h:1",
        ]
    )
    func illegal(endpoint: String) {
        #expect(throws: EtcdConfiguration.Problem.illegalEndpoint(endpoint)) {
            try EtcdConfiguration(endpoints: [endpoint])
        }
    }

    @Test("there are between one and sixteen endpoints")
    func count() throws {
        func configuration(_ count: Int) throws -> EtcdConfiguration {
            try EtcdConfiguration(endpoints: (0..<count).map { "http://h\($0):1" })
        }
        #expect(throws: EtcdConfiguration.Problem.endpointCount(0)) { try configuration(0) }
        #expect(throws: EtcdConfiguration.Problem.endpointCount(17)) { try configuration(17) }
        #expect(try configuration(EtcdConfiguration.endpointLimit).endpoints.count == 16)
    }

    @Test("TLS is not asked for at an endpoint without it")
    func plainEndpoint() {
        #expect(throws: EtcdConfiguration.Problem.endpointWithoutTLS("http://h:1")) {
            try EtcdConfiguration(endpoints: ["http://h:1"], tls: EtcdConfiguration.TLS())
        }
    }

    @Test("no time limit is nothing")
    func timeLimit() {
        #expect(throws: EtcdConfiguration.Problem.illegalTimeLimit(.zero)) {
            try EtcdConfiguration(endpoints: ["http://h:1"], attemptTimeout: .zero)
        }
    }

    @Test("the keys of a cluster stand behind its name, which cannot reach another's")
    func keys() throws {
        let keys = try ElectionKeys(cluster: "a-1")
        #expect(keys.leader == "/millrace/a-1/leader")
        #expect(keys.primary == "/millrace/a-1/primary")
        #expect(keys.prefer == "/millrace/a-1/prefer")
        #expect(try keys.member("m1") == "/millrace/a-1/members/m1")
        for name in ["", "a/b", String(repeating: "a", count: 65), "ä"] {
            #expect(throws: ElectionKeys.Problem.illegalName(name)) { try ElectionKeys(cluster: name) }
            #expect(throws: ElectionKeys.Problem.illegalName(name)) { try keys.member(name) }
        }
        #expect(try ElectionKeys(cluster: String(repeating: "a", count: 64)).prefix.utf8.count == 75)
    }
}
