import Election
import JobCore
import Testing

@Suite("A leader")
struct LeaderTests {
    private static let stop = TakeOverAction.stopServing(MachineDriver.epoch)
    private static let one = MemberSet([MemberID(1)])

    @Test("acknowledges what a majority confirmed under the ticket that it still has")
    func acknowledges() throws {
        var driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        #expect(driver.machine.acknowledges(ticket, confirmedBy: Self.one))
        #expect(!driver.machine.acknowledges(ticket, confirmedBy: MemberSet()))
        #expect(!driver.machine.acknowledges(ticket, confirmedBy: MemberSet([MemberID(0), MemberID(9)])))
        driver.receive(.redis(.stopped))
        #expect(driver.lastActions.contains(Self.stop))
        #expect(!driver.machine.acknowledges(ticket, confirmedBy: Self.one))
    }

    @Test("does not acknowledge under a ticket from before its last leadership")
    func generation() throws {
        let driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        let older = WriteTicket(epoch: ticket.epoch, generation: ticket.generation - 1)
        #expect(!driver.machine.acknowledges(older, confirmedBy: Self.one))
    }

    @Test("resigns when nothing is confirmed for two seconds", arguments: [1_999, 2_000] as [Int64])
    func unconfirmed(milliseconds: Int64) throws {
        var driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        driver.receive(.committed(ticket, replicas: MemberSet()))
        let start = driver.milliseconds
        var actions: [TakeOverAction] = []
        while driver.milliseconds < start + milliseconds {
            actions += driver.receive(.tick, after: 1)
            driver.keepAlive()
            driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        }
        #expect(actions.contains(Self.stop) == (milliseconds == 2_000))
    }

    @Test("forgets what was unconfirmed once something is confirmed")
    func confirmedAgain() throws {
        var driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        driver.receive(.committed(ticket, replicas: MemberSet()))
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.receive(.committed(ticket, replicas: Self.one), after: 1_000)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.receive(.tick, after: 1_500)
        #expect(!driver.lastActions.contains(Self.stop))
    }

    @Test("resigns when its Redis is silent, and when too few replicas follow")
    func redis() {
        var silent = MachineDriver.serving()
        #expect(silent.wait(2_000).contains(Self.stop))

        var lonely = MachineDriver.serving()
        lonely.inspected(MachineDriver.report(at: MachineDriver.marker))
        #expect(lonely.machine.leadership != nil)
        for _ in 0..<4 {
            lonely.receive(.tick, after: 500)
            lonely.inspected(MachineDriver.report(at: MachineDriver.marker))
        }
        #expect(lonely.machine.leadership == nil)
    }

    @Test("resigns at once when its Redis cannot write to its disk, and leaves the key to the others for a while")
    func refused() throws {
        var driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        driver.receive(.refused(WriteTicket(epoch: ticket.epoch, generation: ticket.generation - 1)))
        #expect(driver.machine.leadership != nil)
        let actions = driver.receive(.refused(ticket))
        #expect(actions.contains(Self.stop))
        #expect(actions.contains(.etcd(.resign(MachineDriver.epoch, preferring: nil))))

        driver.receive(.etcd(.state(MachineDriver.state(revision: 11, leader: nil))))
        #expect(!driver.wait(4_999).contains { $0.isCampaign })
        #expect(driver.wait(1).contains { $0.isCampaign })
    }

    @Test("whose Redis could not write to its disk bids at once when another one prefers it")
    func preferredAfterRefusal() throws {
        var driver = MachineDriver.serving()
        driver.receive(.refused(try #require(driver.machine.ticket)))
        let vacant = ClusterState(revision: 11, leader: nil, primary: nil, preferred: MemberID(0))
        #expect(driver.receive(.etcd(.state(vacant))).contains { $0.isCampaign })
    }

    @Test("trusts its lease from when it asked for it, not from when it was answered")
    func lease() throws {
        var driver = MachineDriver.serving()
        let until = try #require(driver.machine.leadership?.trustedUntil)
        #expect(until == Uptime(nanoseconds: 3_000_000_000))
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.milliseconds = 2_000
        driver.receive(.etcd(.kept(MachineDriver.epoch, askedAt: Uptime(nanoseconds: 1_000_000_000))))
        #expect(driver.machine.leadership?.trustedUntil == Uptime(nanoseconds: 4_000_000_000))
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.milliseconds = 3_999
        driver.receive(.etcd(.kept(Epoch(9), askedAt: driver.now)))
        driver.receive(.tick, after: 1)
        #expect(driver.lastActions.contains(Self.stop))
    }

    @Test("stops when etcd says that it is deposed")
    func deposed() {
        for event in [
            .etcd(.expired(MachineDriver.epoch)),
            .etcd(.state(MachineDriver.state(revision: 12, leader: nil))),
            .etcd(.state(MachineDriver.state(revision: 12, leader: (12, 2)))),
        ] as [TakeOverEvent] {
            var driver = MachineDriver.serving()
            #expect(driver.receive(event).contains(Self.stop), "\(event)")
        }
        var driver = MachineDriver.serving()
        #expect(!driver.receive(.etcd(.state(MachineDriver.state(revision: 8, leader: nil)))).contains(Self.stop))
    }

    @Test("lets a replica count under the name that its member announces in this epoch, for that member alone")
    func admission() {
        var driver = MachineDriver.serving()
        let name = ReplicaName(high: 1, low: 2)
        driver.receive(.message(.announce(MachineDriver.epoch, as: name), from: MemberID(2)))
        #expect(driver.lastActions == [.admit(name, of: MemberID(2))])
        for (epoch, member) in [(9, 2), (11, 2), (10, 7)] as [(UInt64, UInt8)] {
            driver.receive(.message(.announce(Epoch(epoch), as: name), from: MemberID(member)))
            #expect(driver.lastActions.isEmpty)
        }
    }

    @Test("says that it is there four times a second, and asks for its lease once")
    func heartbeats() {
        var driver = MachineDriver.serving()
        let actions = driver.wait(999)
        #expect(actions.count { $0 == .send(.heartbeat(MachineDriver.epoch), to: MemberID(2)) } == 3)
        let renewal = driver.wait(1)
        #expect(renewal.contains(.etcd(.keepAlive(MachineDriver.epoch, askedAt: driver.now))))
    }

    @Test("hands over when the successor has everything, and has it still when everything is committed")
    func handOver() {
        var driver = MachineDriver.serving()
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.handOver(to: 2)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        #expect(driver.lastActions.contains(.pauseServing(MachineDriver.epoch)))
        driver.receive(.drained(MachineDriver.epoch))
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        #expect(driver.machine.leadership != nil)
        driver.receive(.tick, after: 10)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        #expect(driver.lastActions.resignation == .etcd(.resign(MachineDriver.epoch, preferring: MemberID(2))))
    }

    @Test("holds up nobody while etcd does not answer, without which the successor could not lead")
    func handOverNeedsEtcd() {
        var driver = MachineDriver.serving()
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        let actions = driver.receive(.command(.handOver(to: MemberID(2))))
        #expect(actions.contains { if case .etcd(.readState) = $0 { true } else { false } })
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        #expect(!driver.lastActions.contains(.pauseServing(MachineDriver.epoch)))
        driver.etcdAnswers()
        driver.receive(.tick, after: 10)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        #expect(driver.lastActions.contains(.pauseServing(MachineDriver.epoch)))
    }

    @Test("holds up nobody for a successor that lacks something, and forgets the wish in time")
    func handOverWaits() {
        var driver = MachineDriver.serving()
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.handOver(to: 2)
        var actions: [TakeOverAction] = []
        while driver.milliseconds < 5_000 {
            actions += driver.receive(.tick, after: 10)
            driver.keepAlive()
            driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
            actions += driver.lastActions
        }
        driver.receive(.tick, after: 500)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        actions += driver.lastActions
        #expect(!actions.contains(.pauseServing(MachineDriver.epoch)))
        #expect(driver.machine.leadership != nil)
    }

    @Test("goes on leading when the successor falls behind and does not catch up in time")
    func handOverFails() throws {
        var driver = MachineDriver.serving()
        let ticket = try #require(driver.machine.ticket)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        driver.handOver(to: 2)
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1, 2]))
        driver.receive(.drained(MachineDriver.epoch))
        driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        var actions: [TakeOverAction] = []
        while driver.milliseconds < 5_000 {
            actions += driver.receive(.tick, after: 100)
            driver.keepAlive()
            driver.inspected(MachineDriver.report(at: MachineDriver.marker, replicas: [1]))
        }
        #expect(actions.contains(.startServing(ticket)))
    }

    @Test("stops in order: nothing more is taken, what there is committed, the key given up")
    func stops() {
        var driver = MachineDriver.serving()
        #expect(driver.receive(.command(.stop)).contains(.pauseServing(MachineDriver.epoch)))
        let actions = driver.receive(.drained(MachineDriver.epoch))
        #expect(actions.contains(.etcd(.resign(MachineDriver.epoch, preferring: nil))))
        #expect(actions.contains(.stopped))
        driver.receive(.etcd(.state(MachineDriver.state(revision: 12, leader: nil))))
        #expect(!driver.wait(5_000).contains { if case .etcd(.campaign) = $0 { true } else { false } })
    }
}

extension TakeOverAction {
    fileprivate var isCampaign: Bool {
        if case .etcd(.campaign) = self { true } else { false }
    }
}
