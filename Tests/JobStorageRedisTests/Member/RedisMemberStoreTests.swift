import Election
import Glibc
import JobCore
import JobStorageRedis
import Redis
import TestSupport
import Testing

@Suite("The agent of a member's real Redis")
struct RedisMemberStoreTests {
    /// A store over a Redis of its own, with what it was told.
    private final class Agent {
        let fixture: MemberFixture
        let store: RedisMemberStore
        let told = Told<TakeOverEvent>()
        let warnings = Told<String>()
        let failures = Told<String>()

        init(
            durability: MemberRedisServer.Durability = .disk,
            settings: MemberRedisServer.Durability? = nil,
            starts: Bool = true,
            fixture: MemberFixture? = nil,
            others: [MemberID: RedisAddress] = [:],
            trustsAddresses: Bool = true
        ) throws {
            self.fixture = try fixture ?? MemberFixture(durability: durability, starts: starts)
            if let fixture { try fixture.process.start() }
            let warnings = self.warnings
            self.store = RedisMemberStore(
                configuration: try MemberFixture.configuration(of: self.fixture.server),
                durability: settings ?? durability,
                directory: self.fixture.path,
                others: others,
                roster: trustsAddresses ? ReplicaRoster(trusting: others) : ReplicaRoster(others)
            ) { warnings.put($0) }
            let (told, failures) = (self.told, self.failures)
            self.store.start({ told.put($0) }, failing: { failures.put("\($0)") })
        }

        deinit {
            self.store.stop()
        }

        func wait(for event: TakeOverEvent, skipping skipped: Int = 0) throws {
            try self.told.wait(for: "\(event)", skipping: skipped) { $0 == event ? () : nil }
        }

        /// The run that is told of next.
        func startedRun(skipping skipped: Int = 0) throws -> RedisRun? {
            try self.told.wait(for: "a start", skipping: skipped) { event in
                if case .redis(.started(_, let run)) = event { .some(run) } else { nil }
            }
        }

        /// Gives an order, and returns the report that it is answered with.
        func report(_ action: RedisAction) throws -> RedisReport {
            let before = self.told.elements.count
            self.store.perform(action)
            return try self.told.wait(for: "\(action)", skipping: before) { event in
                switch event {
                case .redis(.detached(_, let report)), .redis(.inspected(_, let report)): report
                default: nil
                }
            }
        }
    }

    private static func position(_ epoch: UInt64, _ sequence: UInt64) -> Position {
        Position(epoch: Epoch(epoch), sequence: sequence)
    }

    @Test("an empty Redis is there but not intact; one with data is, until it was sent another data set")
    func start() throws {
        let agent = try Agent()
        try agent.wait(for: .redis(.started(isIntact: false, run: nil)))
        agent.store.perform(.detach(operation: 0))
        agent.store.perform(.promote(operation: 1, Epoch(4)))
        try agent.wait(for: .redis(.promoted(operation: 1, Self.position(4, 1))))

        var before = agent.told.elements.count
        agent.fixture.process.end(with: SIGKILL)
        try agent.wait(for: .redis(.stopped), skipping: before)
        try agent.fixture.process.start()
        try agent.wait(for: .redis(.started(isIntact: true, run: nil)), skipping: before)

        before = agent.told.elements.count
        agent.fixture.process.end(with: SIGKILL)
        let transfer = open(agent.fixture.path + "/millrace.rdb", O_WRONLY | O_CREAT, 0o600)
        try #require(transfer >= 0)
        close(transfer)
        try agent.fixture.process.start()
        try agent.wait(for: .redis(.started(isIntact: false, run: nil)), skipping: before)
        #expect(try agent.report(.inspect(operation: 2)).hasTransferFile)
        agent.store.perform(.removeTransferFile)
        #expect(try !agent.report(.inspect(operation: 3)).hasTransferFile)
    }

    @Test(
        "a Redis that confirms what is in its memory is told of by its run, which a record can name, whatever the settings say",
        arguments: [MemberRedisServer.Durability.memory, .disk]
    )
    func runs(settings: MemberRedisServer.Durability) throws {
        let agent = try Agent(durability: .memory, settings: settings)
        let first = try #require(try agent.startedRun())
        let record = MemberRecord(promise: Epoch(3), isClean: true, run: first)
        agent.store.store(record)
        try agent.wait(for: .stored(record))
        #expect(try agent.store.readRecord() == record)

        let before = agent.told.elements.count
        agent.fixture.process.end(with: SIGKILL)
        try agent.fixture.process.start()
        let second = try #require(try agent.startedRun(skipping: before))
        #expect(second != first)
        #expect(try agent.store.readRecord() == record)
        #expect(agent.warnings.elements.contains { $0.contains("start this host anew") } == (settings == .disk))
    }

    @Test("whoever was connected before is dropped before Redis is said to be there")
    func earlierConnections() throws {
        let fixture = try MemberFixture()
        var connection = try fixture.connection()
        let told = Told<TakeOverEvent>()
        let store = RedisMemberStore(
            configuration: try MemberFixture.configuration(of: fixture.server),
            durability: .disk,
            directory: fixture.path,
            others: [:],
            roster: ReplicaRoster([:])
        ) { _ in }
        store.start({ told.put($0) }, failing: { _ in })
        defer { store.stop() }
        try told.wait(for: "the start") { $0 == .redis(.started(isIntact: false, run: nil)) ? () : nil }
        let answer = Result { try connection.command("PING").string }
        #expect(throws: RedisError.self) { _ = try answer.get() }
    }

    @Test("a Redis that was started anew since it was detached for a vote is not promoted on the strength of that vote")
    func promotionOfAnotherRun() throws {
        let agent = try Agent()
        try agent.wait(for: .redis(.started(isIntact: false, run: nil)))
        _ = try agent.report(.detach(operation: 1))
        let before = agent.told.elements.count
        agent.fixture.process.end(with: SIGKILL)
        try agent.wait(for: .redis(.stopped), skipping: before)
        try agent.fixture.process.start()
        try agent.wait(for: .redis(.started(isIntact: false, run: nil)), skipping: before)
        agent.store.perform(.promote(operation: 2, Epoch(4)))
        try agent.wait(for: .redis(.failed(operation: 2)))
        _ = try agent.report(.detach(operation: 3))
        agent.store.perform(.promote(operation: 4, Epoch(4)))
        try agent.wait(for: .redis(.promoted(operation: 4, Self.position(4, 1))))
    }

    @Test("a member follows another, has its data, and counts for it")
    func replication() throws {
        let replica = try Agent(starts: false)
        let primary = try Agent(others: [MemberID(2): replica.fixture.address])
        try primary.wait(for: .redis(.started(isIntact: false, run: nil)))
        primary.store.perform(.detach(operation: 0))
        primary.store.perform(.promote(operation: 1, Epoch(7)))
        try primary.wait(for: .redis(.promoted(operation: 1, Self.position(7, 1))))
        primary.store.perform(.awaitMarker(Epoch(7), replicaCount: 1, within: .milliseconds(10)))
        try primary.wait(for: .redis(.markerHeld(Epoch(7), by: MemberSet())))

        try replica.fixture.process.start()
        // Its agent makes it a replica of nobody first.
        try replica.wait(for: .redis(.started(isIntact: false, run: nil)))
        try replica.fixture.redis.follow(primary.fixture.address)
        primary.store.perform(.awaitMarker(Epoch(7), replicaCount: 1, within: .seconds(10)))
        try primary.wait(for: .redis(.markerHeld(Epoch(7), by: MemberSet([MemberID(2)]))))
        // Whether it has what Redis pinged since is known a moment later.
        var replicas = MemberSet()
        for operation in 2..<50 where replicas.isEmpty {
            replicas = try primary.report(.inspect(operation: UInt64(operation))).replicas
        }
        #expect(replicas == MemberSet([MemberID(2)]))

        // A marker of another epoch, or one that was written before the role changed, is held by nobody.
        primary.store.perform(.awaitMarker(Epoch(6), replicaCount: 1, within: .seconds(10)))
        try primary.wait(for: .redis(.markerHeld(Epoch(6), by: MemberSet())))
        let report = try primary.report(.detach(operation: 50))
        #expect(report.position == Self.position(7, 1))
        #expect(report.replicas.isEmpty)
        #expect(!report.isLinkUp)
    }

    @Test("a replica counts for a member only under the name that the member's agent gave it, whatever its address")
    func impostor() throws {
        let replica = try Agent(starts: false)
        let primary = try Agent(others: [MemberID(2): replica.fixture.address], trustsAddresses: false)
        try primary.wait(for: .redis(.started(isIntact: false, run: nil)))
        primary.store.perform(.detach(operation: 0))
        primary.store.perform(.promote(operation: 1, Epoch(7)))
        try primary.wait(for: .redis(.promoted(operation: 1, Self.position(7, 1))))

        // It has the password, and says that it is where the member's Redis is.
        let impostor = try MemberFixture()
        var connection = try impostor.connection()
        _ = try connection.command("CONFIG", "SET", "replica-announce-port", replica.fixture.address.port)
        try impostor.follow(primary.fixture)
        primary.store.perform(.awaitMarker(Epoch(7), replicaCount: 1, within: .milliseconds(300)))
        try primary.wait(for: .redis(.markerHeld(Epoch(7), by: MemberSet())))
        #expect(try primary.report(.inspect(operation: 2)).replicas.isEmpty)
    }

    @Test("a member counts as soon as it is known by which name it follows")
    func admission() throws {
        let unstarted = try MemberFixture(starts: false)
        let replica = try Agent(others: [MemberID(1): unstarted.address])
        let primary = try Agent(
            fixture: unstarted,
            others: [MemberID(2): replica.fixture.address],
            trustsAddresses: false
        )
        try primary.wait(for: .redis(.started(isIntact: false, run: nil)))
        primary.store.perform(.detach(operation: 0))
        primary.store.perform(.promote(operation: 1, Epoch(7)))
        try primary.wait(for: .redis(.promoted(operation: 1, Self.position(7, 1))))
        try replica.wait(for: .redis(.started(isIntact: false, run: nil)))
        replica.store.perform(.replicate(operation: 1, from: MemberID(1)))
        let name = try replica.told.wait(for: "its name") { event in
            if case .redis(.replicating(1, let name)) = event { name } else { nil }
        }
        primary.store.admit(name, of: MemberID(2))
        primary.store.perform(.awaitMarker(Epoch(7), replicaCount: 1, within: .seconds(10)))
        try primary.wait(for: .redis(.markerHeld(Epoch(7), by: MemberSet([MemberID(2)]))))
    }

    @Test("what a Redis that is not there is told fails, and the record is written all the same")
    func withoutRedis() throws {
        let agent = try Agent(starts: false)
        #expect(try agent.store.readRecord() == .missing)
        for (number, action) in [
            RedisAction.detach(operation: 0), .promote(operation: 1, Epoch(1)),
            .replicate(operation: 2, from: MemberID(2)),
        ].enumerated() {
            agent.store.perform(action)
            try agent.wait(for: .redis(.failed(operation: UInt64(number))))
        }
        let record = MemberRecord(promise: Epoch(9), isClean: true)
        agent.store.store(record)
        try agent.wait(for: .stored(record))
        #expect(try agent.store.readRecord() == record)
        _ = try agent.warnings.wait(for: "a warning") { $0.hasPrefix("Redis cannot be commanded") ? $0 : nil }
    }

    @Test("a record that cannot be written is a failure, and is not said to be stored")
    func unwritable() throws {
        let agent = try Agent(starts: false)
        // A directory in its place cannot be replaced by a file.
        mkdir(agent.fixture.path + "/" + PromiseFile.name, 0o700)
        agent.store.store(MemberRecord(promise: Epoch(9), isClean: true))
        _ = try agent.failures.wait(for: "the failure") { $0 }
        #expect(agent.told.elements.isEmpty)
    }

    @Test("a record that is damaged is an error, and no missing one")
    func damagedRecord() throws {
        let agent = try Agent(starts: false)
        agent.store.store(MemberRecord(promise: Epoch(9), isClean: true))
        try agent.wait(for: .stored(MemberRecord(promise: Epoch(9), isClean: true)))
        truncate(agent.fixture.path + "/" + PromiseFile.name, 3)
        #expect(throws: MemberFileError.self) { _ = try agent.store.readRecord() }
    }

    @Test("an operator's question is answered, and by nil when Redis does not")
    func operatorReport() throws {
        let agent = try Agent()
        try agent.wait(for: .redis(.started(isIntact: false, run: nil)))
        let answers = Told<RedisReport?>()
        agent.store.report { answers.put($0) }
        #expect(try answers.wait(for: "the report", { $0 })?.position == Self.position(0, 0))
        agent.fixture.process.end(with: SIGKILL)
        try agent.wait(for: .redis(.stopped))
        agent.store.report { answers.put($0) }
        try answers.wait(for: "no report", skipping: 1) { $0 == nil ? () : nil }
    }
}
