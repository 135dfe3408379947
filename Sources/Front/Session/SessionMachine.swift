package import ClusterLink
package import JobCore

/// The rules by which a front keeps its session with whoever leads.
///
/// An `attach` is sent until it is answered, a heartbeat ever after. A leader that does not know the session, or one
/// of another epoch than the one that was attached to, gets an `attach` again.
package struct SessionMachine {
    package enum Action: Hashable, Sendable {
        /// Attach under this session.
        case attach(SessionID, isNew: Bool)
        case heartbeat(SessionID)
        /// Lanes may send, and must repeat what is unanswered.
        case attached(epoch: Epoch)
        /// Lanes must not send.
        case detached
        /// All clients must go; the lanes belong to this session from now on.
        case reset(SessionID)
        /// Close every connection of these workers.
        case drop([String])
    }

    private enum State: Hashable {
        /// Asked to be attached.
        case attaching
        case attached(Epoch)
        /// Has said goodbye; nothing is sent any more.
        case ended
    }

    package private(set) var session: SessionID
    private var isNew = true
    private var state = State.attaching
    /// The latest leadership that is known of; what an older one says about attaching counts for nothing.
    private var latest = Epoch(0)

    package init(session: SessionID) {
        self.session = session
    }

    package var isAttached: Bool {
        if case .attached = self.state { true } else { false }
    }

    /// Called at the start, and every `FrontIntroduction.heartbeatInterval` from then on.
    package func tick() -> [Action] {
        switch self.state {
        case .attaching: [.attach(self.session, isNew: self.isNew)]
        case .attached: [.heartbeat(self.session)]
        case .ended: []
        }
    }

    /// Takes a message of the leader that is not for one lane.
    ///
    /// - Parameter replacement: the session to begin when the present one has ended.
    package mutating func receive(_ message: MessageFromLeader, replacement: @autoclosure () -> SessionID) -> [Action] {
        guard self.state != .ended else { return [] }
        switch message {
        case .attached(self.session, let epoch):
            guard self.state != .attached(epoch), epoch >= self.latest else { return [] }
            self.state = .attached(epoch)
            self.latest = epoch
            self.isNew = false
            return [.attached(epoch: epoch)]
        case .attachFirst(self.session):
            guard self.isAttached else { return [] }
            return self.attachAgain()
        case .alive(self.session, let epoch):
            guard case .attached(let current) = self.state, current < epoch else { return [] }
            return self.attachAgain()
        case .expired(self.session):
            self.session = replacement()
            self.isNew = true
            self.state = .attaching
            return [.detached, .reset(self.session), .attach(self.session, isNew: true)]
        case .dropWorkers(self.session, let workers):
            return [.drop(workers)]
        case .attached, .attachFirst, .alive, .expired, .dropWorkers, .replies, .late, .tickDone:
            return []
        }
    }

    /// Nothing is sent any more.
    package mutating func end() {
        self.state = .ended
    }

    private mutating func attachAgain() -> [Action] {
        self.state = .attaching
        return [.detached, .attach(self.session, isNew: self.isNew)]
    }
}
