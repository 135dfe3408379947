import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

/// Lets a worker have one job of each queue at a time, whoever asks.
final class OneAtATime: Fetcher {
    final class QueueLease: Lease {
        let job: Job
        let fetcher: OneAtATime
        private(set) var releaseCount = 0

        init(_ job: Job, of fetcher: OneAtATime) {
            self.job = job
            self.fetcher = fetcher
        }

        func release() {
            self.releaseCount += 1
            self.fetcher.releaseCount += 1
            self.fetcher.busy.remove(self.job.queue)
        }
    }

    private(set) var busy: Set<QueueName> = []
    private(set) var releaseCount = 0
    private(set) var askCount = 0

    func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
        self.askCount += 1
        for queue in queues where !self.busy.contains(queue) && source.hasJobs(in: queue) {
            guard let lease = source.take(from: queue) else { continue }
            self.busy.insert(queue)
            return QueueLease(lease.job, of: self)
        }
        return nothing
    }
}

/// Takes more than it may, or says that it took what it did not.
final class CarelessFetcher: Fetcher {
    enum Fault: CaseIterable {
        case takesTwo
        case takesAndReturnsNothing
        case returnsAnotherJob
    }

    final class Made: Lease {
        let job: Job
        var wasReleased = false

        init(_ job: Job) {
            self.job = job
        }

        func release() { self.wasReleased = true }
    }

    let fault: Fault

    init(_ fault: Fault) {
        self.fault = fault
    }

    func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
        let first = source.take(from: queues[0])
        switch self.fault {
        case .takesTwo:
            return source.take(from: queues[0]) ?? first
        case .takesAndReturnsNothing:
            return nothing
        case .returnsAnotherJob:
            return (try? makeJob("order-000099")).map { Made($0) }
        }
    }
}

@Suite("Fetchers and leases")
struct FetcherTests {
    static func worldWithThrottle() throws -> (ManagerWorld, OneAtATime, TestFront) {
        let fetcher = OneAtATime()
        let world = try ManagerWorld { $0.setFetcher(fetcher) }
        let front = try world.makeFront()
        for number in 1...3 { try front.send(.push("order-00000\(number)", #""reserve_for":60,"retry":5"#)) }
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
        #expect(try front.ask(.fetch("default", wait: 0)) == .parked)
        #expect(fetcher.releaseCount == 0)
        return (world, fetcher, front)
    }

    @Test("a lease is released by the ACK of its job, once, and the next job may go")
    func releasedByAcknowledge() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        try front.send(.acknowledge("order-000001"), .acknowledge("order-000001"))
        #expect(fetcher.releaseCount == 1)
        #expect(try front.ask(.fetch("default")).jobID == "order-000002")
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a lease is released by the FAIL of its job")
    func releasedByFail() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        try front.send(.fail("order-000001"), .fail("order-000001"))
        #expect(fetcher.releaseCount == 1)
        #expect(try front.ask(.fetch("default")).jobID == "order-000002")
        #expect(try world.members(of: .retries) == ["order-000001"])
    }

    @Test("a lease is released when the reservation expires")
    func releasedByExpiry() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        world.wait(.seconds(60))
        try world.tick(.reap)
        #expect(fetcher.releaseCount == 1)
        #expect(try front.ask(.fetch("default")).jobID == "order-000002")
    }

    @Test("a lease is released when the job goes back to its queue")
    func releasedByGivingBack() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        try front.send([LinkCommand(request: 4, .withdraw)])
        #expect(fetcher.releaseCount == 1)
        #expect(try front.ask(.fetch("default")).jobID == "order-000001")
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a lease is released by FLUSH")
    func releasedByFlush() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        #expect(try front.wait(for: .flush) == .ok)
        #expect(fetcher.releaseCount == 1)
        #expect(world.manager.workingCount() == 0)
    }

    @Test("a waiting fetch gets the job that a released lease lets go, without waiting for another push")
    func releaseServesWaiters() throws {
        let (world, _, front) = try Self.worldWithThrottle()
        #expect(try front.ask(.fetch("default")) == .parked)
        let request = front.lastRequest
        try front.send(.acknowledge("order-000001"))
        #expect(front.late[request]?.jobID == "order-000002")
        #expect(world.manager.workingCount() == 1)
    }

    @Test("a reservation that outlived its leader has no lease, and ends like any other")
    func leaseAfterFailOver() throws {
        let (world, fetcher, front) = try Self.worldWithThrottle()
        try world.failOver()
        try front.attach(isNew: false)
        #expect(try front.ask(.acknowledge("order-000001")) == .ok)
        #expect(fetcher.releaseCount == 0)
        #expect(world.manager.workingCount() == 0)
    }

    @Test(
        "what a careless fetcher took and does not return goes back in its order",
        arguments: CarelessFetcher.Fault.allCases
    )
    func carelessFetcher(fault: CarelessFetcher.Fault) throws {
        let world = try ManagerWorld { $0.setFetcher(CarelessFetcher(fault)) }
        let front = try world.makeFront()
        for number in 1...3 { try front.send(.push("order-00000\(number)")) }
        let reply = try front.ask(.fetch("default"))
        switch fault {
        case .takesTwo:
            #expect(reply.jobID == "order-000002")
            #expect(try world.queued() == ["order-000001", "order-000003"])
        case .takesAndReturnsNothing, .returnsAnotherJob:
            #expect(reply == .parked)
            #expect(try world.queued() == (1...3).map { "order-00000\($0)" })
        }
        #expect(world.data.jobIDs.count == 3)
    }

    @Test("BasicFetch takes from the first queue that has a job, through the source as well as without it")
    func basicFetch() throws {
        final class Plain: Fetcher {
            let basic = BasicFetch()
            func fetch(for worker: WorkerID, from queues: [QueueName], in source: any JobSource) -> (any Lease)? {
                self.basic.fetch(for: worker, from: queues, in: source)
            }
        }
        for fetcher in [BasicFetch(), Plain()] as [any Fetcher] {
            let world = try ManagerWorld { $0.setFetcher(fetcher) }
            let front = try world.makeFront()
            try front.send(.push("order-000001", queue: "beta"), .push("order-000002", queue: "alpha"))
            try front.send(.queue(.pause, names: .named(["gamma"])), .push("order-000003", queue: "gamma"))
            let queues = LinkCommand.Body.fetch("none", "gamma", "alpha", "beta", wait: 0)
            let replies = try (1...3).map { _ in try front.ask(queues).jobID }
            #expect(replies == ["order-000002", "order-000001", nil])
        }
    }

    @Test("nothing is no lease")
    func nothingIsNil() {
        #expect(nothing == nil)
    }
}
