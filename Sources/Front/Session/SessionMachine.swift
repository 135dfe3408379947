package import ClusterLink
package import JobCore

/// The rules by which a front keeps its session with whoever of the managers leads.
///
/// An `attach` goes to every manager until one answers it. From then on heartbeats go to all of them: a manager that does
/// not lead drops them, and a new leader says that it wants an `attach`, even while the old one, cut off from the others,
/// still answers. A front that has reason to believe that its leader is gone sends them more often.
///
/// Only a leader of the same or a later epoch is attached to, so that one that has been deposed and does not know it
/// cannot lead a front back. Epochs begin anew, though, when the data are gone, or what counts the epochs: an earlier one
/// is believed of the very manager that led in the latest, and of any when nothing was heard of the latest for
/// ``regressionPatience``. Nothing depends on it but whom a front asks: that only one leader writes is seen to by the
/// store.
///
/// Managers are known by their place in the front's list.
package struct SessionMachine {
    /// How long a front that searches waits before it asks again, chosen anew each time.
    package static let searchInterval: ClosedRange<Duration> = .milliseconds(50)...(.milliseconds(100))
    /// How long it asks so often; after that, as often as it says that it lives.
    package static let searchTime: Duration = .seconds(10)
    /// How long nothing must have been heard of the latest leadership before an earlier one is believed.
    ///
    /// Longer than a deposed leader can go on to believe that it leads.
    package static let regressionPatience: Duration = .seconds(5)
    /// For how long a leader may be silent and still be taken to be there.
    package static let silence: Duration = .seconds(2)

    /// Whom a message goes to.
    package enum Recipients: Hashable, Sendable {
        case all
        case one(Int)
    }

    package enum Action: Hashable, Sendable {
        /// Attach under this session.
        case attach(SessionID, isNew: Bool, to: Recipients)
        case heartbeat(SessionID, to: Recipients)
        /// Lanes may send, to this manager and no other, and must repeat what is unanswered.
        case attached(epoch: Epoch, manager: Int)
        /// The leader that the session is attached to is there.
        case alive
        /// It answers again after its connection was lost: what was on its way between them is lost as well.
        case returned
        /// The leader that the session is attached to reads this version of the envelope.
        case speaks(UInt8, manager: Int)
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
        case attached(Epoch, manager: Int)
        /// Has said goodbye; nothing is sent any more.
        case ended
    }

    package private(set) var session: SessionID
    private var isNew = true
    private var state = State.attaching
    /// The latest leadership that is known of; what an older one says about attaching counts for nothing.
    private var latest = Epoch(0)
    /// Who led in it, and when that was last heard.
    private var latestLeader: Int?
    private var latestHeardAt = Uptime(nanoseconds: 0)
    /// Whether the leader's connection was lost since it answered last.
    private var wasCut = false
    /// The session to go on with if the manager that calls this one expired proves that it leads.
    private var successor: SessionID?
    /// Whether the last heartbeat has gone unanswered up to now.
    private var awaitsAnswer = false
    /// The manager that asked for an `attach` and was sent one, since everybody was last asked.
    private var asked: Int?
    /// Until when the front asks often; nil while it has no reason to search.
    private var searchEnd: Uptime?
    /// When `tick` has something to do next.
    package private(set) var due = Uptime(nanoseconds: 0)

    package init(session: SessionID) {
        self.session = session
    }

    package var isAttached: Bool {
        if case .attached = self.state { true } else { false }
    }

    /// Whether there is a leader that answers.
    package func hasLeader(at now: Uptime) -> Bool {
        guard self.isAttached else { return false }
        guard let searchEnd = self.searchEnd else { return true }
        return now + Self.searchTime < searchEnd + Self.silence
    }

    /// Nothing is sent any more.
    package mutating func end() {
        self.state = .ended
    }
}

// MARK: - What time does

extension SessionMachine {
    /// Called at the start, and whenever `due` has come.
    package mutating func tick(at now: Uptime, using generator: inout some RandomNumberGenerator) -> [Action] {
        guard self.due <= now else { return [] }
        switch self.state {
        case .attaching:
            self.search(at: now)
            self.asked = nil
            self.due = now + self.pause(at: now, using: &generator)
            return [.attach(self.session, isNew: self.isNew, to: .all)]
        case .attached:
            if self.awaitsAnswer { self.search(at: now) }
            self.awaitsAnswer = true
            self.due = now + self.pause(at: now, using: &generator)
            return [.heartbeat(self.session, to: .all)]
        case .ended:
            return []
        }
    }

    private mutating func search(at now: Uptime) {
        if self.searchEnd == nil { self.searchEnd = now + Self.searchTime }
    }

    private func pause(at now: Uptime, using generator: inout some RandomNumberGenerator) -> Duration {
        guard let end = self.searchEnd, now < end else { return FrontIntroduction.heartbeatInterval }
        let (shortest, longest) = (Self.searchInterval.lowerBound, Self.searchInterval.upperBound)
        return shortest + (longest - shortest) * Double.random(in: 0...1, using: &generator)
    }
}

// MARK: - What the managers do

extension SessionMachine {
    /// A manager's process has come, or gone.
    package mutating func connectionChanged(of manager: Int, isConnected: Bool, at now: Uptime) -> [Action] {
        switch self.state {
        case .attaching:
            return isConnected ? [.attach(self.session, isNew: self.isNew, to: .one(manager))] : []
        case .attached(_, let leader):
            if isConnected { return self.searchEnd == nil ? [] : [.heartbeat(self.session, to: .one(manager))] }
            guard manager == leader else { return [] }
            self.wasCut = true
            self.search(at: now)
            self.due = now
            return []
        case .ended:
            return []
        }
    }

    /// Takes a message that is not for one lane.
    ///
    /// - Parameters:
    ///   - manager: who sent it.
    ///   - replacement: the session to begin when the present one has ended.
    package mutating func receive(
        _ message: MessageFromLeader,
        from manager: Int,
        at now: Uptime,
        replacement: @autoclosure () -> SessionID
    ) -> [Action] {
        guard self.state != .ended else { return [] }
        switch message {
        case .attached(let session, let epoch):
            return self.attached(session, to: manager, epoch, at: now)
        case .attachFirst(self.session):
            return self.attachFirst(to: manager, at: now)
        case .alive(self.session, let epoch):
            return self.heard(from: manager, epoch, at: now)
        case .expired(self.session):
            return self.expired(by: manager, at: now, replacement: replacement)
        case .dropWorkers(self.session, let workers):
            guard self.leader == manager else { return [] }
            return [.drop(workers)]
        case .speaks(self.session, let version):
            guard self.leader == manager else { return [] }
            return [.speaks(version, manager: manager)]
        case .attachFirst, .alive, .expired, .dropWorkers, .replies, .late, .speaks, .tickDone:
            return []
        }
    }

    private var leader: Int? {
        if case .attached(_, let manager) = self.state { manager } else { nil }
    }

    private mutating func attached(
        _ session: SessionID,
        to manager: Int,
        _ epoch: Epoch,
        at now: Uptime
    ) -> [Action] {
        guard session == self.session || session == self.successor else { return [] }
        guard self.mayLead(manager, in: epoch, at: now) else { return [] }
        let wasReplaced = session != self.session
        self.session = session
        self.successor = nil
        self.state = .attached(epoch, manager: manager)
        self.latest = epoch
        self.latestLeader = manager
        self.latestHeardAt = now
        self.wasCut = false
        self.isNew = false
        self.settleDown(at: now)
        let attached = Action.attached(epoch: epoch, manager: manager)
        return wasReplaced ? [.detached, .reset(session), attached] : [attached]
    }

    private func mayLead(_ manager: Int, in epoch: Epoch, at now: Uptime) -> Bool {
        if epoch > self.latest { return true }
        if self.state == .attaching, epoch == self.latest || manager == self.latestLeader { return true }
        return epoch < self.latest && self.latestHeardAt + Self.regressionPatience <= now
    }

    /// A manager leads and does not know the session, or has just ceased to lead.
    private mutating func attachFirst(to manager: Int, at now: Uptime) -> [Action] {
        switch self.state {
        case .attached(_, manager): self.attachAgain(to: manager, at: now)
        // Whoever it is has to say of which epoch it is before the leader that there is counts for less.
        case .attached: [.attach(self.session, isNew: self.isNew, to: .one(manager))]
        // It did not lead yet when everybody was asked, or it has said so before.
        case .attaching: self.asked == manager ? [] : self.ask(manager)
        case .ended: []
        }
    }

    private mutating func ask(_ manager: Int) -> [Action] {
        self.asked = manager
        return [.attach(self.session, isNew: self.isNew, to: .one(manager))]
    }

    private mutating func heard(from manager: Int, _ epoch: Epoch, at now: Uptime) -> [Action] {
        guard case .attached(let current, let leader) = self.state else { return [] }
        if current < epoch {
            if epoch > self.latest {
                self.latest = epoch
                self.latestLeader = manager
                self.latestHeardAt = now
            }
            return self.attachAgain(to: manager, at: now)
        }
        guard current == epoch, leader == manager else { return [] }
        self.latestHeardAt = now
        self.settleDown(at: now)
        defer { self.wasCut = false }
        return self.wasCut ? [.returned, .alive] : [.alive]
    }

    /// The session has ended, says a manager.
    ///
    /// The leader that the session is attached to is believed. Any other may be one that has been deposed, whose data
    /// lack what began after it. Such a one can begin no session either, since it answers nothing that a majority has
    /// not confirmed; so it is asked to, and if it does, the new session takes the place of the old.
    private mutating func expired(
        by manager: Int,
        at now: Uptime,
        replacement: () -> SessionID
    ) -> [Action] {
        guard self.leader == manager else {
            let successor = self.successor ?? replacement()
            self.successor = successor
            return [.attach(successor, isNew: true, to: .one(manager))]
        }
        self.session = replacement()
        self.isNew = true
        return [.detached, .reset(self.session)] + self.askAgain(manager, at: now)
    }

    private mutating func attachAgain(to manager: Int, at now: Uptime) -> [Action] {
        [.detached] + self.askAgain(manager, at: now)
    }

    /// Asks the manager that seems to lead, at once, and then everybody.
    private mutating func askAgain(_ manager: Int, at now: Uptime) -> [Action] {
        self.state = .attaching
        self.searchEnd = nil
        self.due = now + Self.searchInterval.upperBound
        return self.ask(manager)
    }

    /// There is a leader, and it answers.
    private mutating func settleDown(at now: Uptime) {
        self.awaitsAnswer = false
        guard self.searchEnd != nil else { return }
        self.searchEnd = nil
        self.due = now + FrontIntroduction.heartbeatInterval
    }
}
