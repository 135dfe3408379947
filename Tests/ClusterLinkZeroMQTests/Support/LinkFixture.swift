import ClusterLink
import ClusterLinkZeroMQ
import TestSupport
import ZeroMQ

/// How peers reach the leader.
enum Transport: String, CaseIterable, Sendable {
    case ipc
    case tcp
}

/// A place where a leader listens and peers connect; it stays the same when one leader follows another.
struct LinkFixture {
    /// How patient a test is with something that is sure to come; it never waits for this time to pass.
    static let patience = Duration.seconds(120)

    let endpoint: String
    private let directory: TemporaryDirectory
    /// The peers' context.
    ///
    /// Each leader has one of its own, so that its end is waited for when it is let go.
    private let context: ZeroMQContext

    init(_ transport: Transport) throws {
        self.directory = try TemporaryDirectory()
        self.context = try ZeroMQContext()
        self.endpoint =
            switch transport {
            case .ipc: "ipc://\(self.directory.file("link"))"
            case .tcp: "tcp://127.0.0.1:\(try freePort())"
            }
    }

    func makeLeader() throws -> ZeroMQLeaderLink {
        try ZeroMQLeaderLink(endpoint: self.endpoint, in: try ZeroMQContext())
    }

    /// A peer that has not been started.
    func makePeer() throws -> ZeroMQPeerLink {
        try ZeroMQPeerLink(endpoint: self.endpoint, in: self.context)
    }

    /// A peer without a thread of its own, that has not been opened.
    func makePolledPeer() -> ZeroMQPolledPeerLink {
        ZeroMQPolledPeerLink(endpoint: self.endpoint, in: self.context)
    }

    /// A socket that knows nothing of the link's rules.
    func makeStranger() throws -> ZeroMQSocket {
        let socket = try ZeroMQSocket(.dealer, in: self.context)
        try socket.connect(to: self.endpoint)
        return socket
    }
}

extension ZeroMQPeerLink {
    /// Starts it with what it receives in a mailbox.
    func start() throws -> Mailbox {
        let mailbox = try Mailbox()
        try self.start { mailbox.put($0) }
        return mailbox
    }
}

extension LeaderLink {
    /// Waits for as many messages as are asked for; fewer when they have not come within the patience.
    func take(_ count: Int, within patience: Duration = LinkFixture.patience) throws -> [Letter] {
        var letters: [Letter] = []
        let end = ContinuousClock.now + patience
        while letters.count < count, ContinuousClock.now < end {
            let wait = ContinuousClock.now.duration(to: end)
            try self.receive(waitingAtMost: wait, bound: count - letters.count) { peer, bytes in
                letters.append(Letter(peer: peer, bytes: Array(bytes)))
            }
        }
        return letters
    }
}

/// A message and who sent it.
struct Letter {
    let peer: LinkPeer
    let bytes: [UInt8]
}

/// The bytes of a number, to tell messages apart.
func bytes(of number: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(number).bigEndian) { Array($0) }
}
