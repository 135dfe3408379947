import ClusterLink
import Front
import JobCore
import Testing

@Suite("A front's session")
struct SessionMachineTests {
    private let session = SessionID(high: 1, low: 1)
    private let other = SessionID(high: 2, low: 2)

    private func attached(_ epoch: UInt64 = 1) -> SessionMachine {
        var machine = SessionMachine(session: self.session)
        _ = machine.receive(.attached(self.session, epoch: Epoch(epoch)), replacement: self.other)
        return machine
    }

    @Test("it asks to be attached as a new one until it is, then says that it lives")
    func start() {
        var machine = SessionMachine(session: self.session)
        #expect(machine.tick() == [.attach(self.session, isNew: true)])
        #expect(machine.tick() == [.attach(self.session, isNew: true)])
        let actions = machine.receive(.attached(self.session, epoch: Epoch(1)), replacement: self.other)
        #expect(actions == [.attached(epoch: Epoch(1))])
        #expect(machine.tick() == [.heartbeat(self.session)])
    }

    @Test("a leader that does not know it is attached to again, once however often it says so")
    func attachFirst() {
        var machine = self.attached()
        let actions = machine.receive(.attachFirst(self.session), replacement: self.other)
        #expect(actions == [.detached, .attach(self.session, isNew: false)])
        #expect(machine.receive(.attachFirst(self.session), replacement: self.other) == [])
        let again = machine.receive(.attached(self.session, epoch: Epoch(1)), replacement: self.other)
        #expect(again == [.attached(epoch: Epoch(1))])
    }

    @Test("a leader of a later epoch is attached to, one of an earlier epoch is not")
    func otherEpoch() {
        var machine = self.attached(5)
        #expect(machine.receive(.alive(self.session, epoch: Epoch(5)), replacement: self.other) == [])
        #expect(machine.receive(.alive(self.session, epoch: Epoch(4)), replacement: self.other) == [])
        #expect(machine.receive(.attached(self.session, epoch: Epoch(4)), replacement: self.other) == [])
        let actions = machine.receive(.alive(self.session, epoch: Epoch(6)), replacement: self.other)
        #expect(actions == [.detached, .attach(self.session, isNew: false)])
    }

    @Test("being attached twice by one leader means nothing new")
    func attachedTwice() {
        var machine = self.attached()
        #expect(machine.receive(.attached(self.session, epoch: Epoch(1)), replacement: self.other) == [])
    }

    @Test("an expired session is followed by a new one")
    func expired() {
        var machine = self.attached()
        let actions = machine.receive(.expired(self.session), replacement: self.other)
        #expect(actions == [.detached, .reset(self.other), .attach(self.other, isNew: true)])
        #expect(machine.tick() == [.attach(self.other, isNew: true)])
    }

    @Test("messages for another session count for nothing")
    func otherSession() {
        var machine = self.attached()
        let messages: [MessageFromLeader] = [
            .attached(self.other, epoch: Epoch(2)), .attachFirst(self.other), .expired(self.other),
            .alive(self.other, epoch: Epoch(9)), .dropWorkers(self.other, ["w"]),
        ]
        for message in messages { #expect(machine.receive(message, replacement: self.other) == []) }
        #expect(machine.isAttached)
    }

    @Test("workers are dropped when the leader says so")
    func drop() {
        var machine = self.attached()
        #expect(machine.receive(.dropWorkers(self.session, ["a"]), replacement: self.other) == [.drop(["a"])])
    }

    @Test("after its end it says nothing more")
    func end() {
        var machine = self.attached()
        machine.end()
        #expect(machine.tick() == [])
        #expect(machine.receive(.attachFirst(self.session), replacement: self.other) == [])
    }
}
