import ClusterLink
import Front
import JobCore
import Testing

@Suite("A front's session")
struct SessionMachineTests {
    private let session = SessionID(high: 1, low: 1)
    private let other = SessionID(high: 2, low: 2)

    @Test("it asks every manager to be attached as a new one until one does, then tells all of them that it lives")
    func start() {
        var script = SessionScript()
        #expect(script.tick() == [.attach(self.session, isNew: true, to: .all)])
        #expect(script.tick() == [.attach(self.session, isNew: true, to: .all)])
        #expect(
            script.receive(.attached(self.session, epoch: Epoch(1)), from: 2) == [
                .attached(epoch: Epoch(1), manager: 2)
            ]
        )
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
    }

    @Test("a manager that comes while nobody leads is asked at once")
    func connectedWhileSearching() {
        var script = SessionScript()
        _ = script.tick()
        #expect(script.connection(of: 1, true) == [.attach(self.session, isNew: true, to: .one(1))])
        #expect(script.connection(of: 1, false) == [])
    }

    @Test("it asks often for a while, at irregular times, and then as often as it says that it lives")
    func searchPace() {
        var script = SessionScript()
        var pauses: [Duration] = []
        while script.now < Uptime(nanoseconds: 0) + SessionMachine.searchTime {
            _ = script.tick()
            pauses.append(script.now.duration(to: script.machine.due))
        }
        #expect(pauses.dropLast().allSatisfy { SessionMachine.searchInterval.contains($0) })
        #expect(Set(pauses).count > pauses.count / 2)
        _ = script.tick()
        #expect(script.now.duration(to: script.machine.due) == FrontIntroduction.heartbeatInterval)
        // Everybody is still asked.
        #expect(script.tick() == [.attach(self.session, isNew: true, to: .all)])
    }

    @Test("nothing is sent before it is due")
    func notDue() {
        var script = SessionScript(attachedIn: 1)
        _ = script.tick()
        #expect(script.tickNow() == [])
    }

    @Test("a leader that does not know it is attached to again, once however often it says so")
    func attachFirst() {
        var script = SessionScript(attachedIn: 1)
        #expect(
            script.receive(.attachFirst(self.session)) == [
                .detached, .attach(self.session, isNew: false, to: .one(0)),
            ]
        )
        #expect(script.receive(.attachFirst(self.session)) == [])
        #expect(script.receive(.attached(self.session, epoch: Epoch(1))) == [.attached(epoch: Epoch(1), manager: 0)])
    }

    @Test("while it looks for a leader, a manager that begins to lead is attached to at once, without asking all again")
    func attachFirstWhileSearching() {
        var script = SessionScript(attachedIn: 1)
        _ = script.receive(.attachFirst(self.session))
        _ = script.tick()
        let attach = SessionMachine.Action.attach(self.session, isNew: false, to: .one(1))
        #expect(script.receive(.attachFirst(self.session), from: 1) == [attach])
        #expect(script.receive(.attachFirst(self.session), from: 1) == [])
        #expect(
            script.receive(.attached(self.session, epoch: Epoch(2)), from: 1) == [
                .attached(epoch: Epoch(2), manager: 1)
            ]
        )
    }

    @Test("a leader of a later epoch is attached to, one of an earlier epoch is not")
    func otherEpoch() {
        var script = SessionScript(attachedIn: 5)
        #expect(script.receive(.alive(self.session, epoch: Epoch(5))) == [.alive])
        #expect(script.receive(.alive(self.session, epoch: Epoch(4)), from: 1) == [])
        #expect(script.receive(.attached(self.session, epoch: Epoch(4)), from: 1) == [])
        #expect(script.receive(.attached(self.session, epoch: Epoch(5)), from: 1) == [])
        #expect(script.machine.isAttached)
        #expect(
            script.receive(.alive(self.session, epoch: Epoch(6)), from: 1) == [
                .detached, .attach(self.session, isNew: false, to: .one(1)),
            ]
        )
        #expect(script.receive(.attached(self.session, epoch: Epoch(5))) == [])
        #expect(
            script.receive(.attached(self.session, epoch: Epoch(6)), from: 1) == [
                .attached(epoch: Epoch(6), manager: 1)
            ]
        )
    }

    @Test("when epochs have begun anew, the manager that led in the latest is believed at once")
    func epochsBeginAnew() {
        var script = SessionScript(attachedIn: 5)
        #expect(
            script.receive(.attachFirst(self.session)) == [
                .detached, .attach(self.session, isNew: false, to: .one(0)),
            ]
        )
        #expect(
            script.receive(.expired(self.session)) == [.attach(SessionID(high: 2, low: 2), isNew: true, to: .one(0))]
        )
        #expect(script.receive(.attached(SessionID(high: 2, low: 2), epoch: Epoch(1)), from: 1) == [])
        #expect(
            script.receive(.attached(SessionID(high: 2, low: 2), epoch: Epoch(1))) == [
                .detached, .reset(SessionID(high: 2, low: 2)), .attached(epoch: Epoch(1), manager: 0),
            ]
        )
        #expect(script.receive(.alive(SessionID(high: 2, low: 2), epoch: Epoch(1))) == [.alive])
    }

    @Test("another manager of an earlier epoch is believed when nothing was heard of the latest for its patience")
    func otherManagerBeginsAnew() {
        var script = SessionScript(attachedIn: 5)
        _ = script.receive(.alive(self.session, epoch: Epoch(5)))
        let attached = MessageFromLeader.attached(self.session, epoch: Epoch(2))
        script.pass(SessionMachine.regressionPatience - .milliseconds(1))
        #expect(script.receive(attached, from: 1) == [])
        script.pass(.milliseconds(1))
        #expect(script.receive(attached, from: 1) == [.attached(epoch: Epoch(2), manager: 1)])
        #expect(
            script.receive(.alive(self.session, epoch: Epoch(6)), from: 2) == [
                .detached, .attach(self.session, isNew: false, to: .one(2)),
            ]
        )
    }

    @Test("a leader whose connection was lost and that answers again is told from one that was never gone")
    func returned() {
        var script = SessionScript(attachedIn: 1)
        _ = script.connection(of: 0, false)
        _ = script.connection(of: 0, true)
        #expect(script.receive(.alive(self.session, epoch: Epoch(1))) == [.returned, .alive])
        #expect(script.receive(.alive(self.session, epoch: Epoch(1))) == [.alive])
    }

    @Test("a leader that has been silent for two seconds, and one that is not attached to, is no leader")
    func hasLeader() {
        var script = SessionScript()
        #expect(!script.machine.hasLeader(at: script.now))
        script = SessionScript(attachedIn: 1)
        #expect(script.machine.hasLeader(at: script.now))
        _ = script.tick()
        _ = script.tick()
        #expect(script.machine.hasLeader(at: script.now))
        script.pass(SessionMachine.silence)
        #expect(!script.machine.hasLeader(at: script.now))
        _ = script.receive(.alive(self.session, epoch: Epoch(1)))
        #expect(script.machine.hasLeader(at: script.now))
        _ = script.receive(.attachFirst(self.session))
        #expect(!script.machine.hasLeader(at: script.now))
    }

    @Test("being attached twice by one leader means nothing new")
    func attachedTwice() {
        var script = SessionScript(attachedIn: 1)
        #expect(script.receive(.attached(self.session, epoch: Epoch(1))) == [])
    }

    @Test("a heartbeat that is unanswered when the next is due makes it ask often, until the leader is heard again")
    func silentLeader() {
        var script = SessionScript(attachedIn: 1)
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
        #expect(SessionMachine.searchInterval.contains(script.now.duration(to: script.machine.due)))
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
        #expect(script.machine.isAttached)
        #expect(script.receive(.alive(self.session, epoch: Epoch(1))) == [.alive])
        #expect(script.now.duration(to: script.machine.due) == FrontIntroduction.heartbeatInterval)
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
    }

    @Test("an answered heartbeat is followed by the next, half a second later")
    func lively() {
        var script = SessionScript(attachedIn: 1)
        for _ in 0..<3 {
            #expect(script.tick() == [.heartbeat(self.session, to: .all)])
            #expect(script.receive(.alive(self.session, epoch: Epoch(1))) == [.alive])
            #expect(script.now.duration(to: script.machine.due) == FrontIntroduction.heartbeatInterval)
        }
    }

    @Test("everybody is asked at once when the leader's connection is gone, and not for any other's")
    func lostConnection() {
        var script = SessionScript(attachedIn: 1)
        _ = script.tick()
        #expect(script.connection(of: 1, false) == [])
        #expect(script.connection(of: 1, true) == [])
        #expect(script.tickNow() == [])
        #expect(script.connection(of: 0, false) == [])
        #expect(script.tickNow() == [.heartbeat(self.session, to: .all)])
        #expect(script.connection(of: 0, true) == [.heartbeat(self.session, to: .one(0))])
    }

    @Test("a new leader is found by a heartbeat while the old one still answers, and attached to before that is let go")
    func newLeader() {
        var script = SessionScript(attachedIn: 1)
        _ = script.tick()
        #expect(script.receive(.alive(self.session, epoch: Epoch(1))) == [.alive])
        #expect(
            script.receive(.attachFirst(self.session), from: 1) == [
                .attach(self.session, isNew: false, to: .one(1))
            ]
        )
        #expect(script.machine.isAttached)
        #expect(
            script.receive(.attached(self.session, epoch: Epoch(2)), from: 1) == [
                .attached(epoch: Epoch(2), manager: 1)
            ]
        )
        #expect(script.tick() == [.heartbeat(self.session, to: .all)])
    }

    @Test("a session that the leader calls expired is followed by a new one")
    func expired() {
        var script = SessionScript(attachedIn: 1)
        #expect(
            script.receive(.expired(self.session)) == [
                .detached, .reset(self.other), .attach(self.other, isNew: true, to: .one(0)),
            ]
        )
        #expect(script.tick() == [.attach(self.other, isNew: true, to: .all)])
    }

    @Test("a session that some other manager calls expired goes on until that one has begun a new one in a later epoch")
    func expiredElsewhere() {
        var script = SessionScript(attachedIn: 5)
        let offer = SessionMachine.Action.attach(self.other, isNew: true, to: .one(1))
        #expect(script.receive(.expired(self.session), from: 1) == [offer])
        #expect(script.receive(.attached(self.other, epoch: Epoch(4)), from: 1) == [])
        #expect(script.machine.session == self.session)
        #expect(script.receive(.expired(self.session), from: 1) == [offer])
        #expect(
            script.receive(.attached(self.other, epoch: Epoch(6)), from: 1) == [
                .detached, .reset(self.other), .attached(epoch: Epoch(6), manager: 1),
            ]
        )
        #expect(script.machine.session == self.other)
    }

    @Test("a session that expired while the front was looking for a leader is followed by a new one")
    func expiredWhileSearching() {
        var script = SessionScript(attachedIn: 5)
        _ = script.receive(.attachFirst(self.session))
        #expect(script.receive(.expired(self.session)) == [.attach(self.other, isNew: true, to: .one(0))])
        #expect(
            script.receive(.attached(self.other, epoch: Epoch(5))) == [
                .detached, .reset(self.other), .attached(epoch: Epoch(5), manager: 0),
            ]
        )
    }

    @Test("messages for another session count for nothing")
    func otherSession() {
        var script = SessionScript(attachedIn: 1)
        let messages: [MessageFromLeader] = [
            .attached(self.other, epoch: Epoch(2)), .attachFirst(self.other), .expired(self.other),
            .alive(self.other, epoch: Epoch(9)), .dropWorkers(self.other, ["w"]),
        ]
        for message in messages { #expect(script.receive(message) == []) }
        #expect(script.machine.isAttached)
    }

    @Test("workers are dropped when the leader says so, and not for anybody else", arguments: [(0, true), (1, false)])
    func drop(manager: Int, isLeader: Bool) {
        var script = SessionScript(attachedIn: 1)
        #expect(script.receive(.dropWorkers(self.session, ["a"]), from: manager) == (isLeader ? [.drop(["a"])] : []))
    }

    @Test("after its end it says nothing more")
    func end() {
        var script = SessionScript(attachedIn: 1)
        script.machine.end()
        #expect(script.tick() == [])
        #expect(script.receive(.attachFirst(self.session)) == [])
        #expect(script.connection(of: 0, true) == [])
    }
}

/// Drives the machine of a front with a few managers.
private struct SessionScript {
    var machine = SessionMachine(session: SessionID(high: 1, low: 1))
    private(set) var now = Uptime(nanoseconds: 0)
    private var generator = SeededGenerator(seed: 7)

    init() {}

    /// A session that the first manager has attached.
    init(attachedIn epoch: UInt64) {
        _ = self.tick()
        _ = self.receive(.attached(self.machine.session, epoch: Epoch(epoch)))
    }

    mutating func pass(_ time: Duration) {
        self.now = self.now + time
    }

    /// Lets time pass until something is due, and does it.
    mutating func tick() -> [SessionMachine.Action] {
        self.now = max(self.now, self.machine.due)
        return self.tickNow()
    }

    mutating func tickNow() -> [SessionMachine.Action] {
        self.machine.tick(at: self.now, using: &self.generator)
    }

    mutating func receive(_ message: MessageFromLeader, from manager: Int = 0) -> [SessionMachine.Action] {
        self.machine.receive(message, from: manager, at: self.now, replacement: SessionID(high: 2, low: 2))
    }

    mutating func connection(of manager: Int, _ isConnected: Bool) -> [SessionMachine.Action] {
        self.machine.connectionChanged(of: manager, isConnected: isConnected, at: self.now)
    }
}
