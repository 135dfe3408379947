import Testing
import ZeroMQ

@Suite("CURVE")
struct CurveTests {
    private let context: ZeroMQContext

    init() throws {
        self.context = try ZeroMQContext()
    }

    private func socket(_ kind: ZeroMQSocket.Kind, _ curve: ZeroMQSocketOptions.Curve?) throws -> ZeroMQSocket {
        var options = ZeroMQSocketOptions()
        options.curve = curve
        options.reconnectInterval = .seconds(60)
        return try ZeroMQSocket(kind, in: self.context, options: options)
    }

    @Test("makes new keys each time, from whose secret half the public half follows")
    func keys() throws {
        let keys = try CurveKeyPair.generate()
        #expect(keys.publicKey.text.utf8.count == CurveKey.characterCount)
        #expect(keys.publicKey != keys.secretKey)
        #expect(try CurveKeyPair.generate() != keys)
        #expect(try CurveKeyPair(secretKey: CurveKey(parsing: keys.secretKey.text)) == keys)
    }

    @Test(
        "takes forty characters of Z85 for a key and nothing else",
        arguments: [
            (String(repeating: "a", count: 39), false), (String(repeating: "a", count: 40), true),
            (String(repeating: "a", count: 41), false), (String(repeating: "a", count: 39) + "\"", false), ("", false),
        ]
    )
    func parsing(text: String, isKey: Bool) {
        let key = try? CurveKey(parsing: text)
        #expect((key != nil) == isKey)
        #expect(key == nil || key?.text == text)
    }

    @Test("carries messages between a server and a client that knows its key")
    func encrypted() throws {
        let (serverKeys, clientKeys) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let server = try self.socket(.pull, .server(secretKey: serverKeys.secretKey))
        try server.bind(to: "tcp://127.0.0.1:*")
        let client = try self.socket(.push, .client(clientKeys, serverKey: serverKeys.publicKey))
        try client.connect(to: try server.lastEndpoint)
        #expect(try client.send([1, 2, 3], wait: true))
        #expect(try server.receiveFrames(wait: true) == [[1, 2, 3]])
    }

    @Test("refuses a peer that is not encrypted")
    func plainPeer() throws {
        let keys = try CurveKeyPair.generate()
        let server = try self.socket(.pull, .server(secretKey: keys.secretKey))
        let monitor = try server.monitor([.handshakeFailed, .handshakeSucceeded])
        try server.bind(to: "tcp://127.0.0.1:*")
        let plain = try self.socket(.push, nil)
        try plain.connect(to: try server.lastEndpoint)
        #expect(try plain.send([1], wait: true))
        let event = try #require(try monitor.next(wait: true))
        #expect(!event.kind.isDisjoint(with: .handshakeFailed))
        #expect(try server.receiveFrames(wait: false) == nil)
    }

    @Test("does not talk to a server with another key")
    func otherServer() throws {
        let (keys, expected) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let server = try self.socket(.pull, .server(secretKey: keys.secretKey))
        let monitor = try server.monitor([.handshakeFailed, .handshakeSucceeded])
        try server.bind(to: "tcp://127.0.0.1:*")
        let client = try self.socket(.push, .client(keys, serverKey: expected.publicKey))
        try client.connect(to: try server.lastEndpoint)
        let event = try #require(try monitor.next(wait: true))
        #expect(!event.kind.isDisjoint(with: .handshakeFailed))
    }
}
