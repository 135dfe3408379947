import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("Queues and the mirror of their heads")
struct QueueMirrorTests {
    /// `order-` and seven digits.
    static func name(_ number: Int) -> String { "order-\(1_000_000 + number)" }

    static func push(_ range: Range<Int>, into world: ManagerWorld, _ members: String = "") throws {
        try world.turn { manager in
            for number in range { try manager.push(makeJob(Self.name(number), members)) }
        }
    }

    /// Takes one job in turns of its own, with the reading that it needs.
    static func take(from world: ManagerWorld) throws -> String? {
        if world.manager.hasColdQueues { try world.turn { try $0.warmQueues() } }
        let worker = WorkerID("worker-1")
        if let job = try world.turn({ try $0.fetch(for: worker, from: [.default]) }) { return job.id.text }
        guard world.manager.hasColdQueues else { return nil }
        try world.turn { try $0.warmQueues() }
        return try world.turn { try $0.fetch(for: worker, from: [.default]) }?.id.text
    }

    @Test("5,000 jobs leave in the order in which they came, and the size is right at each step")
    func firstInFirstOut() throws {
        let world = try ManagerWorld()
        for start in stride(from: 0, to: 5_000, by: 100) {
            try Self.push(start..<start + 100, into: world)
            #expect(world.manager.queues[.default]?.entryCount == start + 100)
        }
        for number in 0..<5_000 {
            let taken = try Self.take(from: world)
            try #require(taken == Self.name(number))
            try world.turn { $0.acknowledge(JobID(Self.name(number))) }
            try #require(world.manager.queues[.default]?.entryCount == 4_999 - number)
        }
        #expect(try Self.take(from: world) == nil)
        #expect(world.data.jobIDs.isEmpty)
    }

    @Test("jobs that come while the queue is taken from keep their order across the mirror's bound")
    func interleaved() throws {
        let world = try ManagerWorld()
        try Self.push(0..<JobQueue.mirrorBound + 50, into: world)
        var pushed = JobQueue.mirrorBound + 50
        for number in 0..<JobQueue.mirrorBound + 200 {
            if number % 3 == 0 {
                try Self.push(pushed..<pushed + 1, into: world)
                pushed += 1
            }
            try #require(try Self.take(from: world) == Self.name(number))
        }
        #expect(world.manager.queues[.default]?.entryCount == pushed - JobQueue.mirrorBound - 200)
    }

    @Test("the mirror takes as many entries as its bound says, and no more")
    func boundOfEntries() throws {
        let world = try ManagerWorld()
        try Self.push(0..<JobQueue.mirrorBound, into: world)
        #expect(world.manager.queues[.default]?.mirroredCount == JobQueue.mirrorBound)
        try Self.push(JobQueue.mirrorBound..<JobQueue.mirrorBound + 1, into: world)
        #expect(world.manager.queues[.default]?.mirroredCount == JobQueue.mirrorBound)
        #expect(world.manager.queues[.default]?.entryCount == JobQueue.mirrorBound + 1)
    }

    @Test("the mirror takes as many bytes as its bound says, one job beyond it excepted")
    func boundOfBytes() throws {
        let world = try ManagerWorld()
        let filler = String(repeating: "x", count: JobQueue.mirrorByteBound / 4)
        try Self.push(0..<8, into: world, #""custom":{"filler":"\#(filler)"}"#)
        #expect(world.manager.queues[.default]?.mirroredCount == 4)
        for number in 0..<8 { try #require(try Self.take(from: world) == Self.name(number)) }
    }

    @Test("reading a queue of large jobs does not read many times the mirror's bound")
    func boundOfBytesWhenRead() throws {
        let world = try ManagerWorld()
        let filler = String(repeating: "x", count: JobQueue.mirrorByteBound / 8)
        try Self.push(0..<200, into: world, #""custom":{"filler":"\#(filler)"}"#)
        try world.failOver()
        for number in 0..<200 {
            try #require(try Self.take(from: world) == Self.name(number))
            try world.turn { $0.acknowledge(JobID(Self.name(number))) }
            let mirrored = try #require(world.manager.queues[.default]).mirroredCount
            try #require(mirrored <= 40, "\(mirrored) jobs of half a mebibyte are mirrored")
        }
    }

    @Test("after a fail-over the first FETCH waits for the reading of the queue and is served before the next turn")
    func coldQueue() throws {
        let world = try ManagerWorld()
        try Self.push(0..<3, into: world)
        try world.failOver()
        let front = try world.makeFront()
        #expect(try front.ask(.fetch("default")) == .parked)
        #expect(world.manager.hasColdQueues)
        try world.work()
        #expect(front.late[front.lastRequest]?.jobID == Self.name(0))
        #expect(!world.manager.hasColdQueues)
        #expect(try front.ask(.fetch("default")).jobID == Self.name(1))
    }

    @Test("more queues than one turn warms are all warmed in the turns that follow")
    func manyColdQueues() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let names = (0..<3 * JobManager.warmedQueueBound).map { "queue-\($0)" }
        for (index, name) in names.enumerated() { try front.send(.push(Self.name(index), queue: name)) }
        try world.failOver()
        try front.attach(isNew: false)
        var requests: [UInt64] = []
        for name in names {
            try front.send(.fetch(name))
            requests.append(front.lastRequest)
        }
        try world.finish()
        #expect(requests.map { front.late[$0]?.jobID } == names.indices.map { Self.name($0) })
    }

    /// A front of the next leader, whose queues have one job each and are cold.
    private static func coldQueues(_ names: [String], fetcher: (any Fetcher)? = nil) throws -> (ManagerWorld, TestFront)
    {
        let world = try ManagerWorld { manager in fetcher.map(manager.setFetcher) }
        let front = try world.makeFront()
        for (index, name) in names.enumerated() { try front.send(.push(Self.name(index), queue: name)) }
        try world.failOver()
        try front.attach(isNew: false)
        return (world, front)
    }

    @Test(
        "however many queues are cold, a FETCH takes from the first that it named and no other",
        arguments: [false, true]
    )
    func orderOfColdQueues(isOurFetcher: Bool) throws {
        final class NamedOrder: Fetcher {
            func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
                for queue in queues {
                    if let lease = source.take(from: queue) { return lease }
                }
                return nothing
            }
        }
        let names = (0..<5 * JobManager.warmedQueueBound).map { "queue-\($0)" }
        let (world, front) = try Self.coldQueues(names, fetcher: isOurFetcher ? nil : NamedOrder())
        // The last ones are warm when the others are asked for.
        let warm = names.suffix(JobManager.warmedQueueBound)
        for name in warm {
            try front.send(.fetch(name))
            try world.finish()
            try front.send(.push("again-\(name)", queue: name))
        }
        let others = Array(names.dropLast(JobManager.warmedQueueBound))
        var requests: [UInt64] = []
        for start in others.indices {
            let order = Array(others[start...]) + warm
            try front.send(front.number([.fetch(worker: "worker-1", queues: order, waitMilliseconds: 1_900)]))
            requests.append(front.lastRequest)
        }
        try world.finish()
        #expect(requests.map { front.late[$0]?.jobID } == others.indices.map { Self.name($0) })
    }

    @Test(
        "a FETCH that waits for a queue to be read is served from the next one when there is nothing for it",
        arguments: ["stale", "paused", "removed"]
    )
    func heldUpInVain(because reason: String) throws {
        let (world, front) = try Self.coldQueues(["first", "second"])
        try front.send(.fetch("second"))
        try world.finish()
        try front.send(.push("order-second", queue: "second"))
        if reason == "stale" {
            var transaction = StorageTransaction(
                position: try world.state.position,
                lastToken: try world.state.lastToken,
                day: "2026-03-01"
            )
            transaction.remove(JobID(Self.name(0)))
            try world.store.commit(transaction)
        }
        #expect(try front.ask(.fetch("first", "second")) == .parked)
        let request = front.lastRequest
        if reason == "paused" { try front.send(.queue(.pause, names: .named(["first"]))) }
        if reason == "removed" {
            try front.send(.queue(.remove, names: .named(["first"])))
            while world.manager.hasTasks { try world.slice() }
        }
        try world.finish()
        #expect(front.late[request]?.jobID == "order-second")
    }

    @Test("200 queues of large heads share one budget of memory, and every job is handed out in its order")
    func budgetOfAllMirrors() throws {
        let bound = 4 << 20
        let world = try ManagerWorld(settings: ManagerSettings(mirrorByteBound: bound))
        let front = try world.makeFront()
        let filler = String(repeating: "x", count: 40_000)
        let names = (0..<200).map { "queue-\($0)" }
        var largest = 0
        for round in 0..<5 {
            for (index, name) in names.enumerated() {
                try front.send(.push("order-\(index)-\(round)", queue: name, #""custom":{"filler":"\#(filler)"}"#))
                largest = max(largest, world.manager.mirrorMemory.byteCount)
            }
        }
        for round in 0..<5 {
            for (index, name) in names.enumerated() {
                try front.send(.fetch(name))
                let request = front.lastRequest
                try world.finish()
                let job = front.late[request]?.jobID
                if let job { try #require(job == "order-\(index)-\(round)") }
                largest = max(largest, world.manager.mirrorMemory.byteCount)
                try front.send(.acknowledge("order-\(index)-\(round)"))
            }
        }
        #expect(largest <= bound)
        #expect(largest > bound / 2)
        #expect(world.data.jobIDs.isEmpty)
        #expect(world.manager.mirrorMemory.byteCount == 0)
    }

    @Test("a job that is larger than the budget of all mirrors is handed out all the same")
    func jobBeyondTheBudget() throws {
        let world = try ManagerWorld(settings: ManagerSettings(mirrorByteBound: 1_000))
        let filler = String(repeating: "x", count: 5_000)
        for name in ["alpha", "beta"] {
            try world.turn { manager in
                for number in 0..<3 {
                    let members = #""custom":{"filler":"\#(filler)"}"#
                    try manager.push(makeJob("\(name)-order-\(number)", queue: name, members))
                }
            }
        }
        let front = try world.makeFront()
        for number in 0..<3 {
            for name in ["alpha", "beta"] {
                let reply = try front.ask(.fetch(name))
                try world.finish()
                #expect((front.late[front.lastRequest] ?? reply).jobID == "\(name)-order-\(number)")
            }
        }
    }

    @Test("the turns after a fail-over read, and hand out, no more than a bound of bytes each")
    func bytesOfATurn() throws {
        let world = try ManagerWorld()
        let filler = String(repeating: "x", count: 1 << 20)
        for number in 0..<40 {
            try Self.push(number..<number + 1, into: world, #""custom":{"filler":"\#(filler)"}"#)
        }
        try world.failOver()
        let front = try world.makeFront()
        try front.send(front.number((0..<40).map { _ in .fetch("default") }))
        var turns: [Int] = []
        var served = 0
        while world.manager.hasColdQueues {
            try world.work()
            turns.append(front.late.count - served)
            served = front.late.count
        }
        #expect(served == 40)
        #expect(turns.allSatisfy { $0 <= 9 }, "\(turns)")
        #expect(world.store.recordReads.largestByteCount <= JobManager.readByteBudget)
        let requests = front.late.keys.sorted()
        #expect(requests.map { front.late[$0]?.jobID } == (0..<40).map { Self.name($0) })
    }

    @Test("queues that were removed while they were cold keep no other from being read")
    func removedColdQueues() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        let names = (0..<100).map { "queue-\($0)" }
        for (index, name) in names.enumerated() { try front.send(.push(Self.name(index), queue: name)) }
        try world.failOver()
        try front.attach(isNew: false)
        var requests: [UInt64] = []
        for name in names {
            try front.send(.fetch(name))
            requests.append(front.lastRequest)
        }
        try front.send(.queue(.remove, names: .named(Array(names.prefix(96)))))
        while world.manager.hasTasks { try world.slice() }
        try front.send(requests.prefix(96).map { LinkCommand(request: $0, .withdraw) })
        try world.finish()
        let served = requests.suffix(4).map { front.late[$0]?.jobID }
        #expect(served == (96..<100).map { Self.name($0) })
    }

    @Test("an entry whose job was deleted and pushed again does not count, and the job runs once")
    func staleEntries() throws {
        // What was done is not remembered, so that it may come again at once.
        let world = try ManagerWorld(settings: ManagerSettings(outcomeMemory: .zero))
        let front = try world.makeFront()
        try front.send(.push("order-000001"), .push("order-000002"), .push("order-000003"))
        try front.send(.fetch("default"), .fetch("default"))
        try front.detach()
        // Reported through another front, the second job leaves the middle of its queue; then it comes again.
        let other = try world.makeFront(2)
        try other.send(.acknowledge("order-000002"), .push("order-000002"))
        #expect(try world.queued() == ["order-000001", "order-000003", "order-000002"])
        try world.failOver()
        try other.attach(isNew: false)
        var jobs: [String] = []
        for _ in 0..<4 {
            if let job = try Self.take(from: world) { jobs.append(job) }
        }
        #expect(jobs == ["order-000001", "order-000003", "order-000002"])
        #expect(try world.state.queues.map(\.entryCount) == [0])
    }

    @Test("a queue of nothing but stale entries is empty as soon as it is read")
    func nothingButStaleEntries() throws {
        let world = try ManagerWorld()
        try world.turn { manager in
            for number in 0..<1_000 { try manager.push(makeJob(Self.name(number))) }
        }
        var transaction = StorageTransaction(
            position: try world.state.position,
            lastToken: try world.state.lastToken,
            day: "2026-03-01"
        )
        for number in 0..<1_000 { transaction.remove(JobID(Self.name(number))) }
        try world.store.commit(transaction)
        try world.failOver()
        let front = try world.makeFront()
        #expect(try front.ask(.fetch("default", wait: 0)) == .parked)
        try world.finish()
        #expect(front.late[front.lastRequest] == .null)
        #expect(try front.ask(.fetch("default")) == .parked)
        try world.finish()
        #expect(try world.state.queues.map(\.entryCount) == [0])
        try front.send(.push("order-000001"))
        #expect(front.late[front.lastRequest - 1]?.jobID == "order-000001")
    }

    @Test("a waiting FETCH gets the next job of any queue that it named, the one that has waited longest first")
    func linesOfWaiters() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try front.send(.fetch("alpha", "beta"), .fetch("beta"), .fetch("alpha", "beta", "alpha"))
        let requests = [1, 2, 3].map { UInt64($0) }
        try front.send(.push("order-000001", queue: "beta"), .push("order-000002", queue: "alpha"))
        try front.send(.push("order-000003", queue: "beta"))
        #expect(requests.map { front.late[$0]?.jobID } == ["order-000001", "order-000003", "order-000002"])
        #expect(requests.map { front.lateCounts[$0] } == [1, 1, 1])
    }

    @Test("queues that were only asked for are forgotten with those who asked")
    func unknownQueuesAreForgotten() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        for number in 0..<200 { try front.send(.fetch("queue-\(number)", wait: 10)) }
        #expect(world.manager.queues.count == 200)
        world.wait(.milliseconds(10))
        try world.take([], from: front.peer)
        #expect(world.manager.queues.isEmpty)
        #expect(world.manager.nextDeadline == nil)
        #expect(world.manager.sessions[front.session]?.lanes[0]?.waiting.isEmpty == true)
    }

    @Test("fetches that wait for long end together, none after its time and none 50 milliseconds before it")
    func longWaitsEndTogether() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        world.wait(.milliseconds(7))
        try front.send(.fetch("default", wait: 1_900))
        world.wait(.milliseconds(20))
        try front.send(.fetch("default", wait: 1_900))
        world.wait(.milliseconds(1_850))
        try world.take([], from: front.peer)
        #expect(front.late.isEmpty)
        world.wait(.milliseconds(30))
        try world.take([], from: front.peer)
        #expect(front.lateCounts == [1: 1, 2: 1])
        #expect(world.manager.nextDeadline == nil)
    }
}
