import ClusterLink
import ClusterLinkZeroMQ
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// A port that only admits keys on a list, and who comes to it.
@Suite("An encrypted link")
struct EncryptedLinkTests {
    @Test("carries messages both ways for who is on the list", arguments: [LinkRole.front, .scheduler])
    func admitted(role: LinkRole) throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let keys = try port.admit(role)
        let peer = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
        let mailbox = try peer.start()
        defer { peer.close() }
        peer.send([1])
        let letter = try #require(try port.leader.take(1).first)
        #expect(letter.bytes == [1])
        // What is heard is told with the key that it came with, and with what that key is good for.
        let key = keys.publicKey.text
        #expect(letter.peer.owner == LinkOwner(key: key, isFront: role == .front, isScheduler: role == .scheduler))
        try port.leader.send([2], to: letter.peer)
        #expect(try mailbox.take(1) == [[2]])
        #expect(port.refusals.isEmpty)
    }

    @Test("carries a front's messages, whose event loop drives it")
    func polled() throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let security = PeerSecurity(keys: try port.admit(.front), serverKey: port.keys.publicKey)
        let link = ZeroMQPolledPeerLink(endpoint: port.endpoint, in: port.peers, security: security)
        let descriptor = try link.open {}
        defer { link.close() }
        #expect(descriptor >= 0)
        let end = ContinuousClock.now + LinkFixture.patience
        var letters: [Letter] = []
        while letters.isEmpty, ContinuousClock.now < end {
            link.send([1])
            letters = try port.leader.take(1, within: .milliseconds(20))
        }
        #expect(letters.first?.bytes == [1])
    }

    @Test("refuses keys that are not on the list, and those of a role that has no business there")
    func refused() throws {
        let port = try GuardedPort(.members)
        defer { port.close() }
        let intruders = [try port.admit(.front), try port.admit(.scheduler), try CurveKeyPair.generate()]
        for keys in intruders {
            let peer = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
            _ = try peer.start()
            defer { peer.close() }
            peer.send([1])
            #expect(port.waitForRefusal(of: keys.publicKey))
        }
        #expect(try port.leader.take(1, within: .zero).isEmpty)
        // A member is let in all the same.
        let peer = try port.makePeer(PeerSecurity(keys: try port.admit(.member), serverKey: port.keys.publicKey))
        _ = try peer.start()
        defer { peer.close() }
        peer.send([2])
        #expect(try port.leader.take(1).map(\.bytes) == [[2]])
    }

    @Test("does not hear who is not encrypted, nor who expects another server", arguments: [true, false])
    func otherPeers(isPlain: Bool) throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let keys = try port.admit(.front)
        let stranger = PeerSecurity(keys: keys, serverKey: try CurveKeyPair.generate().publicKey)
        let peer = try port.makePeer(isPlain ? nil : stranger)
        _ = try peer.start()
        defer { peer.close() }
        peer.send([1])
        // Its handshake began before that of the next one, who is heard.
        let friend = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
        _ = try friend.start()
        defer { friend.close() }
        friend.send([2])
        #expect(try port.leader.take(1).map(\.bytes) == [[2]])
        #expect(try port.leader.take(1, within: .milliseconds(200)).isEmpty)
    }

    @Test("admits by the new list when it was replaced")
    func replaced() throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let keys = try CurveKeyPair.generate()
        let peer = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
        _ = try peer.start()
        defer { peer.close() }
        peer.send([1])
        #expect(port.waitForRefusal(of: keys.publicKey))
        try port.admit(.front, keys)
        let end = ContinuousClock.now + LinkFixture.patience
        var letters: [Letter] = []
        while letters.isEmpty, ContinuousClock.now < end {
            peer.send([2])
            letters = try port.leader.take(1, within: .milliseconds(50))
        }
        #expect(letters.first?.bytes == [2])
    }

    @Test("does not hear who was taken off the list any more, though connected, and hears who is back on it")
    func revoked() throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let keys = try port.admit(.front)
        let peer = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
        _ = try peer.start()
        defer { peer.close() }
        peer.send([1])
        #expect(try port.leader.take(1).map(\.bytes) == [[1]])
        port.revokeAll()
        peer.send([2])
        #expect(try port.leader.take(1, within: .milliseconds(200)).isEmpty)
        try port.admit(.front, keys)
        peer.send([3])
        #expect(try port.leader.take(1).map(\.bytes) == [[3]])
    }

    @Test("admits nobody when there is no gate any more")
    func closedGate() throws {
        let port = try GuardedPort(.clients)
        let keys = try port.admit(.front)
        port.close()
        let peer = try port.makePeer(PeerSecurity(keys: keys, serverKey: port.keys.publicKey))
        _ = try peer.start()
        defer { peer.close() }
        peer.send([1])
        #expect(try port.leader.take(1, within: .milliseconds(300)).isEmpty)
    }

    @Test("has one gate a context")
    func secondGate() throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        #expect(throws: LinkError.self) { _ = try KeyGate(LinkKeyring(), in: port.context) { _ in } }
    }

    @Test("its gate leaves questions unanswered that are none", arguments: [0, 1, 2, 7, 40])
    func nonsense(frameCount: Int) throws {
        let port = try GuardedPort(.clients)
        defer { port.close() }
        let stranger = try ZeroMQSocket(.dealer, in: port.context)
        try stranger.connect(to: "inproc://zeromq.zap.01")
        for index in 0..<frameCount { _ = try stranger.send([1], more: index + 1 < frameCount, wait: true) }
        // The gate goes on.
        let peer = try port.makePeer(PeerSecurity(keys: try port.admit(.front), serverKey: port.keys.publicKey))
        _ = try peer.start()
        defer { peer.close() }
        peer.send([2])
        #expect(try port.leader.take(1).map(\.bytes) == [[2]])
        #expect(try stranger.receiveFrames(wait: false) == nil)
    }
}

/// A leader's port behind a gate, and what the gate has turned away.
private final class GuardedPort {
    let keys: CurveKeyPair
    let context: ZeroMQContext
    let peers: ZeroMQContext
    let leader: ZeroMQLeaderLink
    let endpoint: String
    private let gate: KeyGate
    private let refused: Refusals
    private var lines: [String] = []

    private final class Refusals: Sendable {
        let list = Mutex<[KeyGate.Refusal]>([])
        let wakeup: Wakeup

        init() throws {
            self.wakeup = try Wakeup()
        }
    }

    init(_ domain: LinkDomain) throws {
        let refused = try Refusals()
        let context = try ZeroMQContext()
        let gate = try KeyGate(LinkKeyring(), in: context) { refusal in
            refused.list.withLock { $0.append(refusal) }
            refused.wakeup.signal()
        }
        self.keys = try CurveKeyPair.generate()
        self.context = context
        self.peers = try ZeroMQContext()
        self.gate = gate
        self.refused = refused
        self.leader = try ZeroMQLeaderLink(
            endpoint: "tcp://127.0.0.1:*",
            in: context,
            security: ServerSecurity(keys: self.keys, gate: gate, domain: domain)
        )
        self.endpoint = try self.leader.endpoint
    }

    func close() {
        self.gate.close()
    }

    /// Puts keys on the list.
    @discardableResult
    func admit(_ role: LinkRole, _ keys: CurveKeyPair? = nil) throws -> CurveKeyPair {
        let keys = try keys ?? CurveKeyPair.generate()
        self.lines.append("\(role.rawValue) \(role == .member ? "1 " : "")\(keys.publicKey.text)")
        self.gate.replace(with: try LinkKeyring(parsing: self.lines.joined(separator: "\n"), path: "allowed"))
        return keys
    }

    /// Takes everybody off the list.
    func revokeAll() {
        self.lines = []
        self.gate.replace(with: LinkKeyring())
    }

    func makePeer(_ security: PeerSecurity?) throws -> ZeroMQPeerLink {
        try ZeroMQPeerLink(endpoint: self.endpoint, in: self.peers, security: security)
    }

    var refusals: [KeyGate.Refusal] { self.refused.list.withLock { $0 } }

    /// Waits until this key was turned away; false when it is not within the patience.
    func waitForRefusal(of key: CurveKey) -> Bool {
        var poller = Poller()
        _ = poller.add(self.refused.wakeup)
        let end = ContinuousClock.now + LinkFixture.patience
        while !self.refusals.contains(where: { $0.key == key }), ContinuousClock.now < end {
            _ = try? poller.wait(upTo: ContinuousClock.now.duration(to: end))
            self.refused.wakeup.drain()
        }
        return self.refusals.contains { $0.key == key }
    }
}
