import ClusterLink
import HeapModule
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("What a peer may say, and how much of it is kept")
struct AdmissionTests {
    private static let session = SessionID(high: 7, low: 1)

    private static func peer(_ key: String, isFront: Bool = true, isScheduler: Bool = false) -> LinkPeer {
        LinkPeer(
            identity: Array("peer of \(key)".utf8),
            owner: LinkOwner(key: key, isFront: isFront, isScheduler: isScheduler)
        )
    }

    private static func attach(
        _ session: SessionID = Self.session,
        name: String = "front",
        isNew: Bool = true
    ) -> MessageToLeader {
        .attach(FrontIntroduction(session: session, name: name, software: "test", isNew: isNew))
    }

    private static func batch(
        _ number: UInt64,
        lane: UInt16 = 0,
        _ bodies: LinkCommand.Body...
    ) -> MessageToLeader {
        let commands = bodies.enumerated().map { LinkCommand(request: number &* 100 &+ UInt64($0.offset), $0.element) }
        let key = LaneKey(session: Self.session, lane: lane)
        return .batch(CommandBatch(lane: key, number: number, settled: 0, commands: commands))
    }

    private static func push(_ jobID: String) -> LinkCommand.Body {
        .push(job: Array(#"{"jid":"\#(jobID)","jobtype":"a","args":[]}"#.utf8))
    }

    // MARK: Keys

    @Test("a scheduler's key is good for ticks alone, and a front's for everything else")
    func roles() throws {
        let world = try ManagerWorld()
        let scheduler = Self.peer("scheduler", isFront: false, isScheduler: true)
        try world.take([Self.attach(), Self.batch(1, Self.push("job-000001"))], from: scheduler)
        #expect(world.manager.sessions.isEmpty)
        #expect(world.messages.isEmpty)
        try world.take([.tick(.reap, number: 1)], from: Self.peer("front"))
        #expect(!world.manager.hasTasks)
        try world.take([.tick(.reap, number: 1)], from: scheduler)
        #expect(world.manager.hasTasks)
    }

    @Test("a session belongs to the key that began it: nobody else is heard for it", arguments: [false, true])
    func ownedSession(afterFailOver: Bool) throws {
        let world = try ManagerWorld()
        let (owner, other) = (Self.peer("owner"), Self.peer("other"))
        try world.take([Self.attach(), Self.batch(1, Self.push("job-000001"))], from: owner)
        if afterFailOver { try world.failOver() }
        world.forgetMessages()
        let foreign: [MessageToLeader] = [
            Self.attach(isNew: false), Self.batch(2, Self.push("job-000002")),
            .heartbeat(Self.session, FrontStatistics(connectionCount: 1_000)), .detach(Self.session),
        ]
        for message in foreign { try world.take([message], from: other) }
        #expect(world.messages.isEmpty)
        #expect(try world.queued() == ["job-000001"])
        try world.take([Self.attach(isNew: false), Self.batch(2, Self.push("job-000003"))], from: owner)
        #expect(try world.queued() == ["job-000001", "job-000003"])
    }

    @Test("a front's name ends the older session of the same key, and of no other", arguments: [false, true])
    func ownedName(afterFailOver: Bool) throws {
        let world = try ManagerWorld()
        try world.take([Self.attach()], from: Self.peer("owner"))
        if afterFailOver { try world.failOver() }
        try world.take([Self.attach(SessionID(high: 7, low: 2))], from: Self.peer("other"))
        #expect(world.manager.sessions[Self.session] != nil)
        try world.take([Self.attach(SessionID(high: 7, low: 3))], from: Self.peer("owner"))
        #expect(world.manager.sessions[Self.session] == nil)
        #expect(world.manager.sessions.count == 2)
    }

    @Test("a session that began without keys goes on with the key that takes it up")
    func firstKey() throws {
        let world = try ManagerWorld()
        try world.take([Self.attach()], from: LinkPeer(identity: [1]))
        try world.failOver()
        try world.take([Self.attach(isNew: false)], from: Self.peer("owner"))
        try world.take([Self.attach(isNew: false)], from: Self.peer("other"))
        #expect(world.manager.sessions[Self.session]?.key == "owner")
        #expect(try world.state.sessions[Self.session] == "front\nowner")
    }

    @Test("a name that is too long, or has blanks or controls, begins no session")
    func names() throws {
        let world = try ManagerWorld()
        for name in ["a b", "a\nkey", "\u{7F}", String(repeating: "a", count: 513)] {
            try world.take([Self.attach(name: name)], from: Self.peer("owner"))
        }
        #expect(world.manager.sessions.isEmpty)
        try world.take([Self.attach(name: String(repeating: "a", count: 512))], from: Self.peer("owner"))
        #expect(world.manager.sessions.count == 1)
    }

    // MARK: Numbers

    @Test(
        "a batch that is not the next one is not carried out, and the one behind the last still is",
        arguments: [
            UInt64(3), 1 << 40, .max,
        ]
    )
    func numberAhead(number: UInt64) throws {
        let world = try ManagerWorld()
        let peer = Self.peer("owner")
        try world.take([Self.attach(), Self.batch(1, Self.push("job-000001"))], from: peer)
        world.forgetMessages()
        try world.take([Self.batch(number, Self.push("job-000009"))], from: peer)
        #expect(world.messages.map(\.message) == [.attachFirst(Self.session)])
        try world.take([Self.batch(2, Self.push("job-000002"))], from: peer)
        #expect(try world.queued() == ["job-000001", "job-000002"])
    }

    @Test("the first batch behind an attach may be ahead of what is recorded, within a bound")
    func numberBehindAttach() throws {
        let world = try ManagerWorld()
        let peer = Self.peer("owner")
        try world.take([Self.attach(), Self.batch(1, Self.push("job-000001"))], from: peer)
        try world.take([Self.attach(isNew: false), Self.batch(.max, Self.push("job-000009"))], from: peer)
        #expect(try world.queued() == ["job-000001"])
        try world.take([Self.batch(70, Self.push("job-000002"))], from: peer)
        #expect(try world.queued() == ["job-000001", "job-000002"])
        try world.take([Self.batch(72, Self.push("job-000003"))], from: peer)
        #expect(try world.queued() == ["job-000001", "job-000002"])
    }

    // MARK: Bounds

    @Test("a key has a bounded number of sessions, and the one that was silent for longest makes room")
    func sessionsOfAKey() throws {
        let world = try ManagerWorld()
        try world.take([Self.attach(SessionID(high: 1, low: 1), name: "another")], from: Self.peer("another"))
        for number in 1...UInt64(SessionBound.sessionsPerKey + 100) {
            try world.take([Self.attach(SessionID(high: 7, low: number), name: "")], from: Self.peer("owner"))
        }
        #expect(world.manager.sessions.count == SessionBound.sessionsPerKey + 1)
        world.wait(SessionBound.idleTime)
        let last = SessionID(high: 8, low: 1)
        try world.take([Self.attach(last, name: "")], from: Self.peer("owner"))
        #expect(world.manager.sessions[last] != nil)
        #expect(world.manager.sessions[SessionID(high: 1, low: 1)] != nil)
        #expect(world.manager.sessions.count == SessionBound.sessionsPerKey + 1)
    }

    @Test("without keys all sessions together have a bound, and those that are alive stay")
    func sessions() throws {
        let world = try ManagerWorld()
        let peer = LinkPeer(identity: [1])
        try world.take([Self.attach()], from: peer)
        for number in 1...UInt64(SessionBound.sessionCount + 500) {
            try world.take([Self.attach(SessionID(high: 9, low: number), name: "")], from: peer)
        }
        #expect(world.manager.sessions.count == SessionBound.sessionCount)
        world.wait(SessionBound.idleTime)
        try world.take([.heartbeat(Self.session, FrontStatistics())], from: peer)
        for number in 10_001...10_100 as ClosedRange<UInt64> {
            try world.take([Self.attach(SessionID(high: 9, low: number), name: "")], from: peer)
        }
        #expect(world.manager.sessions.count == SessionBound.sessionCount)
        #expect(world.manager.sessions[Self.session] != nil)
        #expect(try world.state.sessions.count == SessionBound.sessionCount)
    }

    @Test("a session has 64 lanes at the most")
    func lanes() throws {
        let world = try ManagerWorld()
        let peer = LinkPeer(identity: [1])
        try world.take([Self.attach()], from: peer)
        for lane in 0..<200 as Range<UInt16> { try world.take([Self.batch(1, lane: lane)], from: peer) }
        #expect(world.manager.sessions[Self.session]?.lanes.count == 64)
    }

    @Test("a FETCH that waits and comes again ten thousand times is kept once")
    func repeatedFetch() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let fetch = front.number([.fetch(worker: "", queues: ["default"], waitMilliseconds: 60_000)])
        for _ in 0..<10_000 { #expect(try front.send(fetch) == [.parked]) }
        #expect(world.manager.deadlines.count == 1)
    }

    @Test("fetches that were withdrawn are forgotten, however long they were to wait")
    func withdrawnFetches() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for _ in 0..<100 {
            let fetches = front.number(
                (0..<200).map { _ in .fetch(worker: "", queues: ["default"], waitMilliseconds: .max) }
            )
            try front.send(fetches)
            try front.send(fetches.map { LinkCommand(request: $0.request, .withdraw) })
        }
        #expect(world.manager.deadlines.count <= 8_192)
        #expect(world.manager.waitingPlaceCount == 0)
    }

    @Test("so many fetches wait at the most, and one more is answered with nothing")
    func waitingFetches() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        world.manager.waitingPlaceCount = SessionBound.waitingPlaceCount - 2
        let two = LinkCommand.Body.fetch(worker: "", queues: ["a", "b"], waitMilliseconds: 1_000)
        #expect(try front.send(two, two) == [.parked, .null])
        world.wait(.seconds(2))
        try world.turn { $0.answerOverdueFetches() }
        #expect(try front.send(two) == [.parked])
    }
}
