import FaktoryClient
import Testing

@Suite("Client configuration")
struct ClientConfigurationTests {
    @Test("a URL says where the server is and how to get in")
    func urls() throws {
        let plain = try ClientConfiguration(url: "tcp://example.com")
        #expect((plain.host, plain.port) == ("example.com", 7419))
        #expect(plain.password == nil)
        #expect(plain.username == nil)
        #expect(plain.tls == nil)

        let full = try ClientConfiguration(url: "tcp+tls://u:p%40ss%2Fw%3Ard@10.0.0.7:7999/")
        #expect((full.host, full.port) == ("10.0.0.7", 7999))
        #expect(full.password == "p@ss/w:rd")
        #expect(full.username == "u")
        #expect(full.tls == TLSOptions())

        let bare = try ClientConfiguration(url: "TCP://:secret@[::1]:1")
        #expect((bare.host, bare.port) == ("::1", 1))
        #expect(bare.password == "secret")
        #expect(bare.username == nil)
    }

    @Test(
        "a URL of another kind is refused",
        arguments: [
            "", "localhost", "localhost:7419", "http://localhost", "tcp://", "tcp://:7419", "tcp://h:0",
            "tcp://h:65536",
            "tcp://h/path", "tcp://h?x=1", "tcp://h#x",
        ]
    )
    func refused(url: String) {
        let error = #expect(throws: FaktoryError.self) { try ClientConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("a URL's password is not repeated in the error")
    func secret() {
        let error = #expect(throws: FaktoryError.self) { try ClientConfiguration(url: "http://:geheim@h") }
        #expect(error?.description.contains("geheim") == false)
    }

    @Test("the provider's variable goes before FAKTORY_URL, and without both the server is here")
    func environment() throws {
        let url = ["FAKTORY_URL": "tcp://url:1", "MY_URL": "tcp://mine:2"]
        #expect(try ClientConfiguration.fromEnvironment([:]).host == "localhost")
        #expect(try ClientConfiguration.fromEnvironment(["FAKTORY_URL": ""]).port == 7419)
        #expect(try ClientConfiguration.fromEnvironment(url).host == "url")
        let provider = url.merging(["FAKTORY_PROVIDER": "MY_URL"]) { $1 }
        #expect(try ClientConfiguration.fromEnvironment(provider).host == "mine")
    }

    @Test("a provider that is a URL or names nothing is refused", arguments: ["tcp://h:1", "NOT_SET"])
    func provider(value: String) {
        let environment = ["FAKTORY_PROVIDER": value, "FAKTORY_URL": "tcp://h"]
        let error = #expect(throws: FaktoryError.self) { try ClientConfiguration.fromEnvironment(environment) }
        #expect(error?.code == .invalidConfiguration)
    }
}
