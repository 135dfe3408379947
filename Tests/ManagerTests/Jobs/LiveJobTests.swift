import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("A leader that does not know yet which jobs are alive")
struct LiveJobTests {
    /// One job at each place, under the next leader.
    private static func worldWithJobsEverywhere() throws -> (world: ManagerWorld, front: TestFront) {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.push("order-dead", #""retry":-1"#), .fetch("default"), .fail("order-dead"))
        try front.send(.push("order-retry"), .fetch("default"), .fail("order-retry"))
        try front.send(.push("order-held"), .fetch("default"))
        try front.send(.push("order-queued"), .push("order-scheduled", #""at":"2099-01-01T00:00:00Z""#))
        try world.failOver()
        try front.attach(isNew: false)
        return (world, front)
    }

    @Test("begins without reading one record, and learns all jids without reading one", arguments: [0, 3, 5_000])
    func nothingIsRead(count: Int) throws {
        let world = try ManagerWorld()
        try QueueMirrorTests.push(0..<count, into: world)
        try QueueMirrorTests.push(count..<2 * count, into: world, #""at":"2099-01-01T00:00:00Z""#)
        try world.failOver()

        #expect(world.manager.isLearningJobs == (count > 0))
        try world.learn()

        #expect(world.store.recordReads == InMemoryJobStore.RecordReads())
        #expect(world.manager.liveJobs.isComplete)
        for number in 0..<2 * count {
            #expect(world.manager.liveJobs.mayContain(JobID(QueueMirrorTests.name(number))))
        }
        #expect(!world.manager.liveJobs.mayContain(JobID("order-nobody")))
    }

    @Test(
        "a PUSH that comes again changes nothing, wherever its job is, and a dead one is replaced",
        arguments: [false, true]
    )
    func pushedAgain(isLearned: Bool) throws {
        let (world, front) = try Self.worldWithJobsEverywhere()
        if isLearned { try world.learn() }
        let before = world.data.jobIDs

        let replies = try front.send(
            .push("order-retry"),
            .push("order-held"),
            .push("order-queued"),
            .push("order-scheduled"),
            .push("order-dead"),
            .push("order-new"),
            .push("order-new")
        )

        #expect(replies == Array(repeating: .ok, count: 7))
        #expect(world.data.jobIDs == before.union([JobID("order-new")]))
        #expect(try world.queued() == ["order-queued", "order-dead", "order-new"])
        #expect(try world.members(of: .dead).isEmpty)
        #expect(try world.members(of: .retries) == ["order-retry"])
        #expect(try world.members(of: .scheduled) == ["order-scheduled"])
        #expect(world.manager.workingCount() == 1)
    }

    @Test("the jids of a turn are asked for in one read, and those of a PUSHB, too")
    func askedAtOnce() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let bodies = (0..<100).map { LinkCommand.Body.push(QueueMirrorTests.name($0)) }
        try front.send(front.number(bodies))
        try world.failOver()
        try front.attach(isNew: false)

        try front.send(front.number((50..<150).map { .push(QueueMirrorTests.name($0)) }))
        #expect(world.store.recordReads.sizeCount == 1)
        #expect(world.data.jobIDs.count == 150)

        let jobs = (100..<200).map { String(decoding: payload(QueueMirrorTests.name($0)), as: UTF8.self) }
        #expect(
            try front.ask(.pushBulk(jobs: Array("[\(jobs.joined(separator: ","))]".utf8))) == .bulk(Array("{}".utf8))
        )
        #expect(world.store.recordReads.sizeCount == 2)
        #expect(world.store.recordReads.count == 0)
        #expect(world.data.jobIDs.count == 200)
    }

    @Test("a leader that knows them all asks nothing for a new jid, and once for many that come again")
    func askedOnlyForKnown() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(front.number((0..<10).map { .push(QueueMirrorTests.name($0)) }))
        #expect(world.store.recordReads == InMemoryJobStore.RecordReads())
        let jobs = (0..<10).map { String(decoding: payload(QueueMirrorTests.name($0)), as: UTF8.self) }
        try front.send(.pushBulk(jobs: Array("[\(jobs.joined(separator: ","))]".utf8)))
        #expect(world.store.recordReads.sizeCount == 1)
        #expect(try world.queued().count == 10)
    }

    @Test("what moves, comes and ends while the names are read is known at the end", arguments: UInt64(1)...20)
    func movesWhileLearning(seed: UInt64) throws {
        let world = try ManagerWorld()
        var generator = SeededGenerator(seed: seed)
        let count = 3 * LiveJobWalk.stepCount
        try QueueMirrorTests.push(0..<count, into: world)
        try QueueMirrorTests.push(count..<count + 50, into: world, #""at":"2026-03-01T09:00:00Z""#)
        try world.failOver()
        let front = try world.makeFront()

        var pushed = 2 * count
        while world.manager.isLearningJobs {
            for _ in 0..<Int.random(in: 0..<300, using: &generator) {
                switch Int.random(in: 0..<8, using: &generator) {
                case 0...3:
                    try front.send(.fetch("default", wait: 0))
                    try world.finish()
                    guard let job = front.late[front.lastRequest]?.jobID else { continue }
                    if Bool.random(using: &generator) { try front.send(.fail(job)) }
                case 4:
                    try front.send(.push(QueueMirrorTests.name(pushed)))
                    pushed += 1
                case 5:
                    guard let held = world.manager.reservations.keys.first else { continue }
                    try front.send(.acknowledge(held.text))
                default:
                    world.wait(.seconds(60))
                    try world.tick(.enqueueScheduled)
                    try world.tick(.retry)
                }
            }
            try world.manager.learnJobs()
        }

        #expect(world.manager.liveJobs.isComplete)
        for jobID in world.data.jobIDs { try #require(world.manager.liveJobs.mayContain(jobID), "\(jobID)") }
    }

    @Test("a FLUSH while the names are read leaves nothing alive")
    func flushed() throws {
        let (world, front) = try Self.worldWithJobsEverywhere()
        try world.manager.learnJobs()
        #expect(try front.wait(for: .flush) == .ok)
        try front.send(.push("order-queued"))
        try world.learn()
        #expect(world.data.jobIDs == [JobID("order-queued")])
        #expect(try world.queued() == ["order-queued"])
        #expect(!world.manager.liveJobs.mayContain(JobID("order-scheduled")))
    }
}
