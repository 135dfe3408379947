import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("The places of a job")
struct TransitionTests {
    private struct Pair: Hashable, CustomStringConvertible {
        let from: Place
        let to: Place

        var description: String { "\(self.from) → \(self.to)" }
    }

    private static let places: [Place] =
        [.new, .scheduled, .enqueued, .reserved, .retrying, .dead] + Outcome.allCases.map { .ended($0) }

    /// From where a job may get where, and how; what is not here does not happen.
    private static let table: [Pair: Set<MoveCause>] = [
        Pair(from: .new, to: .scheduled): [.pushed],
        Pair(from: .new, to: .enqueued): [.pushed],
        Pair(from: .dead, to: .scheduled): [.pushed],
        Pair(from: .dead, to: .enqueued): [.pushed, .ordered],
        Pair(from: .dead, to: .dead): [.ordered],
        Pair(from: .dead, to: .ended(.deleted)): [.ordered, .purged],
        Pair(from: .dead, to: .ended(.lost)): [.damaged],
        Pair(from: .scheduled, to: .enqueued): [.due, .ordered],
        Pair(from: .scheduled, to: .dead): [.ordered],
        Pair(from: .scheduled, to: .ended(.deleted)): [.ordered],
        Pair(from: .scheduled, to: .ended(.lost)): [.damaged],
        Pair(from: .retrying, to: .enqueued): [.due, .ordered],
        Pair(from: .retrying, to: .dead): [.ordered],
        Pair(from: .retrying, to: .ended(.deleted)): [.ordered],
        Pair(from: .retrying, to: .ended(.lost)): [.damaged],
        Pair(from: .enqueued, to: .reserved): [.fetched],
        Pair(from: .enqueued, to: .enqueued): [.withheld],
        Pair(from: .enqueued, to: .dead): [.withheld, .failed],
        Pair(from: .enqueued, to: .ended(.discarded)): [.withheld, .failed],
        Pair(from: .enqueued, to: .ended(.expired)): [.withheld],
        Pair(from: .enqueued, to: .ended(.deleted)): [.ordered],
        // Its worker was taken to be gone, and reports it after all.
        Pair(from: .enqueued, to: .ended(.succeeded)): [.acknowledged],
        Pair(from: .enqueued, to: .ended(.failed)): [.failed],
        Pair(from: .enqueued, to: .ended(.lost)): [.damaged],
        Pair(from: .enqueued, to: .retrying): [.failed],
        Pair(from: .reserved, to: .enqueued): [.returned],
        Pair(from: .reserved, to: .retrying): [.failed],
        Pair(from: .reserved, to: .dead): [.failed, .poisonous],
        Pair(from: .reserved, to: .ended(.succeeded)): [.acknowledged],
        Pair(from: .reserved, to: .ended(.failed)): [.failed],
        Pair(from: .reserved, to: .ended(.discarded)): [.failed, .poisonous],
        Pair(from: .reserved, to: .ended(.lost)): [.damaged],
    ]

    /// What a world was told of, by pairs.
    private final class Seen {
        var causes: [Pair: Set<MoveCause>] = [:]
        var places: [JobID: Place] = [:]
        var strays: [String] = []

        func note(_ transition: Transition) {
            let pair = Pair(from: transition.from, to: transition.to)
            self.causes[pair, default: []].insert(transition.cause)
            // A job is moved from where it was moved to; one that has ended may begin anew.
            var before = self.places[transition.jobID] ?? .new
            if case .ended = before { before = .new }
            if before != transition.from { self.strays.append("\(transition) of a job that was \(before)") }
            self.places[transition.jobID] = transition.to
        }
    }

    private let seen = Seen()

    private func makeWorld(
        _ settings: ManagerSettings = ManagerSettings(),
        extend: @escaping (JobManager) -> Void = { _ in }
    ) throws -> ManagerWorld {
        let seen = self.seen
        return try ManagerWorld(settings: settings) { manager in
            manager.observer = { seen.note($0) }
            extend(manager)
        }
    }

    @Test("follow one another as the table says, each pair for its causes alone, and no other pair happens")
    func pairs() throws {
        try self.lives()
        try self.orders()
        try self.chains()
        try self.damages()
        try self.lateReports()
        for from in Self.places {
            for to in Self.places {
                let pair = Pair(from: from, to: to)
                #expect(self.seen.causes[pair] == Self.table[pair], "\(pair)")
            }
        }
        #expect(self.seen.strays.isEmpty)
    }

    private func lives() throws {
        let world = try self.makeWorld()
        let front = try world.makeFront()
        let due = (world.now.wall + .seconds(5)).rfc3339
        try front.send(.push("order-000001"), .fetch("default"), .acknowledge("order-000001"))
        try front.send(.push("order-000002", #""at":"\#(due)""#), .push("order-000003", #""custom":{"expires_in":1}"#))
        world.wait(.seconds(6))
        try world.tick(.enqueueScheduled)
        try front.send(.fetch("default"), .fail("order-000002"))
        world.wait(.seconds(600))
        try world.tick(.retry)
        try front.send(.fetch("default"), .acknowledge("order-000002"))
        try front.send(.push("order-000004", #""retry":0"#), .fetch("default"), .fail("order-000004"))
        for jobID in ["order-000005", "order-000006", "order-000007"] {
            try front.send(.push(jobID, #""retry":-1"#), .fetch("default"), .fail(jobID))
        }
        let later = (world.now.wall + .seconds(5)).rfc3339
        try front.send(.push("order-000005"), .push("order-000006", #""at":"\#(later)""#))
        world.wait(.seconds(86_400 * 200))
        try world.tick(.purge)
    }

    private func orders() throws {
        let world = try self.makeWorld()
        let front = try world.makeFront()
        let due = (world.now.wall + .seconds(500)).rfc3339
        var number = 100
        func add(_ target: String, failing: Bool) throws {
            number += 1
            let jobID = "order-000\(number)"
            let members = failing ? #""retry":\#(target == "dead" ? -1 : 5)"# : #""at":"\#(due)""#
            try front.send(.push(jobID, members))
            if failing { try front.send(.fetch("default"), .fail(jobID)) }
        }
        for target in ["scheduled", "retries", "dead"] {
            for operation in ["kill", "requeue", "discard"] {
                try add(target, failing: target != "scheduled")
                _ = try front.wait(for: .mutate(operation, target))
                if operation == "requeue" { _ = try front.wait(for: .queue(.remove, names: .named(["default"]))) }
                if operation == "kill" { _ = try front.wait(for: .mutate("discard", "dead")) }
            }
        }
    }

    private func chains() throws {
        var answer: KnownError?
        let world = try self.makeWorld { manager in
            manager.addMiddleware(.fetch) { _, next in
                if let answer { throw answer }
                try next()
            }
            manager.addMiddleware(.fail) { _, _ in throw KnownError.discard("no more") }
        }
        let front = try world.makeFront()
        try front.send(.push("order-000201"))
        for error in [KnownError.halt(code: "ERR", message: "no", job: .putBack), .halt(code: "ERR", message: "no")] {
            answer = error
            _ = try front.ask(.fetch("default"))
        }
        answer = .discard("no")
        try front.send(.push("order-000202"), .fetch("default"))
        answer = nil
        try front.send(.push("order-000203"), .withdraw, .fetch("default"), .fail("order-000203"))
        try self.poison("order-000204") { _ in }
        try self.poison("order-000205") { $0.addMiddleware(.fail) { _, _ in throw KnownError.discard("no more") } }
    }

    /// Workers beat, get the job and vanish, until it is taken for poison.
    private func poison(_ jobID: String, extend: @escaping (JobManager) -> Void) throws {
        let world = try self.makeWorld(extend: extend)
        let front = try world.makeFront()
        try front.send(.push(jobID))
        for number in 1...3 {
            let worker = "poisoned-\(number)"
            try front.send(.joined(worker), .beat(worker))
            _ = try front.ask(.fetch("default", worker: worker))
            front.settled += 10
            try front.send(.beat(worker), .workerLeft(worker: worker))
            world.wait(.seconds(100))
            try front.beat()
            try world.tick(.reapWorkers)
            world.wait(.seconds(100))
            try front.beat()
            try world.tick(.reapWorkers)
        }
    }

    /// Records that the store has lost, at each place.
    private func damages() throws {
        let world = try self.makeWorld()
        let front = try world.makeFront()
        let due = (world.now.wall + .seconds(5)).rfc3339
        try front.send(.push("order-000301", #""at":"\#(due)""#), .push("order-000302"))
        try front.send(.fetch("default"), .fail("order-000302"))
        try front.send(.push("order-000303", #""retry":-1"#), .fetch("default"), .fail("order-000303"))
        try front.send(.push("order-000304"), .fetch("default"))
        try self.damage(["order-000301", "order-000302", "order-000303", "order-000304"], in: world)
        try world.failOver()
        try front.attach(isNew: false)
        world.wait(.seconds(600))
        try world.tick(.enqueueScheduled)
        try world.tick(.retry)
        _ = try front.wait(for: .mutate("requeue", "dead"))
        try front.send(.fail("order-000304"))
    }

    private func damage(_ jobIDs: [String], in world: ManagerWorld) throws {
        try world.turn { manager in
            for jobID in jobIDs { manager.transaction.store(JobID(jobID), StoredJob(token: 0, payload: [0x7B])) }
        }
    }

    /// Workers that report jobs which lie in their queues again.
    private func lateReports() throws {
        for (number, retry) in [(401, 25), (402, 0), (403, -1)] {
            try self.reportLate("order-000\(number)", #""retry":\#(retry)"#, .fail("order-000\(number)")) { _ in }
        }
        try self.reportLate("order-000404", "", .acknowledge("order-000404")) { _ in }
        try self.reportLate("order-000405", "", .fail("order-000405")) { manager in
            manager.addMiddleware(.fail) { _, _ in throw KnownError.discard("no more") }
        }
        try self.reportLate("order-000406", "", .fail("order-000406"), damaged: true) { _ in }
    }

    private func reportLate(
        _ jobID: String,
        _ members: String,
        _ report: LinkCommand.Body,
        damaged: Bool = false,
        extend: @escaping (JobManager) -> Void
    ) throws {
        let world = try self.makeWorld(extend: extend)
        let front = try world.makeFront()
        try front.send(.push(jobID, members), .fetch("default"))
        try front.detach()
        if damaged {
            try world.turn { manager in
                let token = try #require(try manager.store.entries(of: queue("default"), from: 0, count: 1).first).token
                manager.transaction.store(JobID(jobID), StoredJob(token: token, payload: [0x7B]))
            }
            try world.failOver()
        }
        try world.makeFront(2).send(report)
    }
}
