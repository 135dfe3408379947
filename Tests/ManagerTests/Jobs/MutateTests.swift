import ClusterLink
import JobCore
import JobStorage
import Testing

@testable import Manager

@Suite("MUTATE")
struct MutateTests {
    /// Which jobs a filter means, of `order-000001` to `order-000004`.
    struct Choice: Sendable, CustomTestStringConvertible {
        let name: String
        var jobIDs: [String]?
        var pattern: String?
        var type: String?
        var isEmpty = false
        let means: [Int]

        var testDescription: String { self.name }
    }

    static let choices = [
        Choice(name: "no filter", means: [1, 2, 3, 4]),
        Choice(name: "an empty filter", isEmpty: true, means: [1, 2, 3, 4]),
        Choice(name: "jids", jobIDs: ["order-000002", "order-000009", "order-000002"], means: [2]),
        Choice(name: "jids before all else", jobIDs: ["order-000001"], pattern: "*odd*", type: "Odd", means: [1]),
        Choice(name: "a type", type: "Odd", means: [1, 3]),
        Choice(name: "a type that nothing has", type: "Od", means: []),
        Choice(name: "a pattern", pattern: #"*"args":\["fizz"\]*"#, means: [3, 4]),
        Choice(name: "a pattern and a type", pattern: #"*"args":\["fizz"\]*"#, type: "Odd", means: [3]),
    ]

    static func name(_ number: Int) -> String { "order-00000\(number)" }

    static func payload(_ number: Int, _ members: String) -> [UInt8] {
        let type = number % 2 == 1 ? "Odd" : "Even"
        let argument = number > 2 ? "fizz" : "buzz"
        return Array(
            #"{"jid":"\#(self.name(number))", "jobtype":"\#(type)", "args": [ "\#(argument)" ]\#(members)}"#.utf8
        )
    }

    /// Puts the four jobs into the set, and one other job into each other set.
    static func prepare(_ front: TestFront, _ set: JobSet, in world: ManagerWorld) throws {
        let at = #","at":"\#((ManagerWorld.start + .seconds(3_600)).rfc3339)""#
        let members = [JobSet.scheduled: at, .retries: #","retry":3"#, .dead: #","retry":-1"#]
        for number in 1...4 { try front.send(.push(job: Self.payload(number, members[set] ?? ""))) }
        for (index, other) in JobSet.allCases.enumerated() where other != set {
            try front.send(.push(job: Self.payload(6 + index, members[other] ?? "")))
        }
        while let jobID = try front.ask(.fetch("default", wait: 0)).jobID { try front.send(.fail(jobID)) }
    }

    @Test(
        "each operation does to each set what it is for, to the jobs that are meant and to no other",
        arguments: [Mutation.Operation.clear, .kill, .discard, .requeue],
        [JobSet.scheduled, .retries, .dead]
    )
    func operations(operation: Mutation.Operation, set: JobSet) throws {
        for choice in Self.choices {
            let world = try ManagerWorld()
            let front = try world.makeFront()
            try Self.prepare(front, set, in: world)
            let before = world.data.jobIDs.count
            let others = try world.count(of: set == .dead ? .retries : .dead)
            let reply = try front.wait(
                for: .mutate(
                    operation.rawValue,
                    set.rawValue,
                    jobIDs: choice.jobIDs,
                    pattern: choice.pattern,
                    type: choice.type,
                    emptyFilter: choice.isEmpty
                )
            )
            #expect(reply == .ok)

            let meant = operation == .clear ? [1, 2, 3, 4] : choice.means
            let left = [1, 2, 3, 4].filter { !meant.contains($0) || (operation == .kill && set == .dead) }
            #expect(try world.members(of: set).sorted() == left.map(Self.name), "\(choice.name)")
            switch operation {
            case .clear, .discard:
                #expect(world.data.jobIDs.count == before - meant.count, "\(choice.name)")
            case .kill:
                let added = set == .dead ? 0 : meant.count
                #expect(try world.count(of: .dead) == (set == .dead ? 4 : others + added), "\(choice.name)")
            case .requeue:
                #expect(try world.queued().sorted() == meant.map(Self.name), "\(choice.name)")
                for number in meant { #expect(try world.stored(Self.name(number))?.enqueuedAt == ManagerWorld.start) }
            }
            for set in JobSet.allCases { #expect(try world.manager.setCounts[set] ?? 0 == world.count(of: set)) }
            #expect(world.manager.counters.processed == (try world.state.counters.processed))
        }
    }

    @Test("an operation or a target that does not exist is refused in upstream's words")
    func refusals() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        #expect(try front.ask(.mutate("drop", "dead")) == .error("ERR unknown mutate operation"))
        #expect(try front.ask(.mutate("", "dead")) == .error("ERR unknown mutate operation"))
        #expect(try front.ask(.mutate("kill", "")) == .error("ERR invalid target for mutation command"))
        #expect(try front.ask(.mutate("kill", "working")) == .error("ERR invalid target for mutation command"))
        let longest = String(repeating: "*", count: Glob.maximumByteCount)
        #expect(try front.ask(.mutate("kill", "dead", pattern: longest)) == .deferred)
        #expect(try front.ask(.mutate("kill", "dead", pattern: longest + "*")) == .error("ERR the pattern is too long"))
    }

    @Test("killed jobs are purged 180 days later")
    func expiryOfTheKilled() throws {
        let world = try ManagerWorld()
        let front = try world.makeFront()
        try Self.prepare(front, .scheduled, in: world)
        try front.send(.mutate("clear", "dead"))
        _ = try front.wait(for: .mutate("kill", "scheduled"))
        world.wait(.seconds(180 * 86_400 - 1))
        try world.tick(.purge)
        #expect(try world.count(of: .dead) == 4)
        world.wait(.seconds(1))
        #expect(try world.tick(.purge) == 4)
        #expect(try world.count(of: .dead) == 0)
    }

    @Test("1,200 named jobs are handled in slices of 500")
    func namedInSlices() throws {
        let world = try SliceTests.worldWithScheduledJobs(1_300)
        let front = try world.makeFront()
        let names = (0..<1_200).map { QueueMirrorTests.name($0) }
        try front.send(.mutate("discard", "scheduled", jobIDs: names + names))
        try world.slice()
        #expect(try world.count(of: .scheduled) == 800)
        #expect(try front.ask(.push("order-000001")) == .ok)
        // The names that come again have nothing left to do.
        #expect(try world.finish() == 4)
        #expect(try world.count(of: .scheduled) == 100)
        #expect(world.manager.setCounts[.scheduled] == 100)
    }
}
