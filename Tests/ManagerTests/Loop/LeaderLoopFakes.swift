import ClusterLink
import Dispatch
import Election
import JobCore
import JobStorage
import Synchronization
import TestSupport

@testable import Manager

/// A link over which a test says what it likes.
final class FakeLink: LeaderLink, LinkWaker, Sendable {
    let sent = Told<MessageFromLeader>()
    /// How many messages each call of `receive` handed over.
    let received = Told<Int>()
    private let waiting = Mutex<[[UInt8]]>([])
    private let something = DispatchSemaphore(value: 0)

    var waker: any LinkWaker { self }

    func wake() {
        self.something.signal()
    }

    func say(_ message: MessageToLeader) {
        self.waiting.withLock { $0.append(message.encoded()) }
        self.something.signal()
    }

    func receive(
        waitingAtMost wait: Duration,
        bound: Int,
        _ body: (LinkPeer, UnsafeRawBufferPointer) -> Void
    ) throws(LinkError) {
        _ = self.something.wait(timeout: .now() + .milliseconds(Int(wait / .milliseconds(1))))
        let messages = self.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for message in messages { message.withUnsafeBytes { body(LinkPeer(identity: [1]), $0) } }
        if !messages.isEmpty { self.received.put(messages.count) }
    }

    func send(_ message: [UInt8], to peer: LinkPeer) throws(LinkError) {
        let decoded = message.withUnsafeBytes { try? MessageFromLeader(decoding: $0) }
        if let decoded { self.sent.put(decoded) }
    }
}

/// An election that a test decides.
final class FakeElection: Election {
    let resigned = Told<Epoch>()
    private struct State {
        var duty = LeaderDuty.leave
        var notify: (@Sendable () -> Void)?
    }

    private let epoch: Epoch
    private let state = Mutex(State())

    init(epoch: Epoch) {
        self.epoch = epoch
    }

    func order(_ duty: LeaderDuty) {
        let notify = self.state.withLock { state in
            state.duty = duty
            return state.notify
        }
        notify?()
    }

    var mayLoad: Bool { self.state.withLock { $0.duty == .lead } }

    var needsProof: Bool { true }

    func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        self.mayLoad ? Leadership(epoch: self.epoch, trustedUntil: nil) : nil
    }

    func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty { self.state.withLock { $0.duty } }

    func resign(_ leadership: Leadership) {
        self.resigned.put(leadership.epoch)
    }

    func onChange(_ notify: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.notify = notify }
    }
}
