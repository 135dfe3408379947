import ClusterLink
import JobCore

@testable import Manager

/// A link whose messages come as a script wants it; what the leader sends is kept.
///
/// Each `receive` that waits takes the next step, on the loop's own thread; behind the last one the loop is told to stop.
/// To one that does not wait, as when the loop throws away what is old, nothing has come.
final class ScriptedLeaderLink: LeaderLink {
    typealias Step = () -> [MessageToLeader]

    static let peer = LinkPeer(identity: Array("front".utf8))

    private var steps: [Step]
    private let stop: StopSignal
    private(set) var sent: [MessageFromLeader] = []
    /// What a message may have; a longer one is not sent.
    var byteBound = Int.max

    init(stop: StopSignal, _ steps: [Step]) {
        self.stop = stop
        self.steps = steps
    }

    var waker: any LinkWaker { Waker() }

    func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        guard wait > .zero else { return }
        guard !self.steps.isEmpty else { return self.stop.request() }
        for message in self.steps.removeFirst()() {
            message.encoded().withUnsafeBytes { body(Self.peer, $0) }
        }
    }

    func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError) {
        guard message.count <= self.byteBound else { throw .tooLarge(byteCount: message.count) }
        do {
            self.sent.append(try message.withUnsafeBytes { try MessageFromLeader(decoding: $0) })
        } catch {
            throw .failed("\(error)")
        }
    }

    /// The replies to each batch that was answered, in that order.
    var replies: [(batch: UInt64, replies: [LinkReply])] {
        self.sent.compactMap { message in
            guard case .replies(_, let batch, let replies) = message else { return nil }
            return (batch, replies)
        }
    }
}

private struct Waker: LinkWaker {
    func wake() {}
}
