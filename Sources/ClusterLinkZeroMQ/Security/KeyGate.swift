package import ClusterLink
import Synchronization
import ThreadConfinement
package import ZeroMQ

/// Decides which keys may connect to the encrypted sockets of a context.
///
/// libzmq asks it, over `inproc`, in the middle of each handshake (ZAP, 27/ZAP in ZeroMQ's RFCs). It has a thread of its
/// own, answers one question at a time and remembers none, so that a flood of handshakes costs time and no memory.
/// While a context has no gate, its sockets that ask for one admit nobody.
package final class KeyGate: Sendable {
    /// A peer that was turned away.
    package struct Refusal: Hashable, Sendable {
        /// Where it came from; empty for a Unix socket.
        package let address: String
        /// The port that it wanted, as the question named it.
        package let domain: String
        /// What it showed, unless that was no key at all.
        package let key: CurveKey?
    }

    private static let endpoint = "inproc://zeromq.zap.01"

    /// Whose sockets it watches over.
    let context: ZeroMQContext
    private let keyring: Mutex<LinkKeyring>
    private let wakeup: Wakeup
    private let isClosed = Atomic(false)
    private let refused: @Sendable (Refusal) -> Void
    private let thread = Mutex<DedicatedThread<Void>?>(nil)

    /// Opens the gate of a context, which has one at the most.
    ///
    /// It is open until `close()`, and lives as long.
    ///
    /// - Parameter refused: called on the gate's thread with each peer that was turned away.
    package init(
        _ keyring: LinkKeyring,
        in context: ZeroMQContext,
        refused: @escaping @Sendable (Refusal) -> Void
    ) throws(LinkError) {
        let opened: OpenedSocket
        do {
            // Bound here, so that a second gate is its maker's error; it moves to its thread once.
            let socket = try ZeroMQSocket(.router, in: context)
            try socket.bind(to: Self.endpoint)
            opened = OpenedSocket(socket)
            self.wakeup = try Wakeup()
        } catch {
            throw .endpoint(Self.endpoint, reason: "\(error)")
        }
        self.context = context
        self.keyring = Mutex(keyring)
        self.refused = refused
        // The thread holds the gate, which therefore lives until it is closed.
        self.thread.withLock { $0 = DedicatedThread(name: "gate") { [self] in opened.withSocket { self.run($0) } } }
    }

    /// Admits by another list from now on; who is connected and not on it is not heard any more.
    package func replace(with keyring: LinkKeyring) {
        self.keyring.withLock { $0 = keyring }
    }

    /// Who sent a message; nil if that is nobody who is admitted to the port, any more.
    ///
    /// A connection outlives the list that it was made under, so that each message is looked at.
    func owner(of message: borrowing ZeroMQMessage, at domain: LinkDomain) -> LinkOwner? {
        guard let text = message.userID, let key = try? CurveKey(parsing: text) else { return nil }
        return self.keyring.withLock { keyring in
            guard keyring.admits(key, to: domain) else { return nil }
            return LinkOwner(
                key: text,
                isFront: keyring.has(key, as: .front),
                isScheduler: keyring.has(key, as: .scheduler)
            )
        }
    }

    /// The member that sent a message; nil if it was none, or is none any more.
    func member(sending message: borrowing ZeroMQMessage) -> Int? {
        guard let key = Self.key(of: message) else { return nil }
        return self.keyring.withLock { $0.member(of: key) }
    }

    /// What the gate answered when the sender connected.
    private static func key(of message: borrowing ZeroMQMessage) -> CurveKey? {
        message.userID.flatMap { try? CurveKey(parsing: $0) }
    }

    /// Admits nobody any more.
    package func close() {
        self.isClosed.store(true, ordering: .releasing)
        self.wakeup.signal()
        self.thread.withLock { $0 }?.join()
    }

    private func run(_ socket: borrowing ZeroMQSocket) {
        var poller = Poller()
        _ = poller.add(socket)
        _ = poller.add(self.wakeup)
        do {
            while !self.isClosed.load(ordering: .acquiring) {
                while let frames = try socket.receiveFrames(wait: false) { try self.answer(frames, over: socket) }
                _ = try poller.wait(upTo: nil)
                self.wakeup.drain()
            }
        } catch {
            // Only the end of the context gets here: there is nobody left to ask.
            self.isClosed.store(true, ordering: .releasing)
        }
    }

    private func answer(_ frames: [[UInt8]], over socket: borrowing ZeroMQSocket) throws(ZeroMQError) {
        guard let question = KeyQuestion(frames) else { return }
        let admitted = self.admittedKey(asked: question)
        let answer = question.answer(admitting: admitted?.text)
        for (index, frame) in answer.enumerated() {
            // Nobody waits for the answer of a handshake that has ended.
            guard try socket.send(frame, more: index + 1 < answer.count, wait: false) else { break }
        }
        if admitted == nil {
            self.refused(Refusal(address: question.address, domain: question.domain, key: question.key))
        }
    }

    private func admittedKey(asked question: KeyQuestion) -> CurveKey? {
        guard let key = question.key, let domain = LinkDomain(rawValue: question.domain) else { return nil }
        return self.keyring.withLock { $0.admits(key, to: domain) } ? key : nil
    }
}
