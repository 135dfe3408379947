import ClusterLinkZeroMQ
import Election
import ElectionEtcd
import JobStorage
import JobStorageRedis
import Logging
import Manager
import Redis
import ServiceLifecycle
import ZeroMQ

extension Roles {
    /// The manager of one member: the leader's loop, which stands by, and the member that decides whether it leads.
    func runMember() async throws {
        let logger = Logger(label: "manager")
        let plan = try MemberPlan(self.settings)
        let password = try HostPassword(directory: self.settings.storageDirectory).read()
        let roster = ReplicaRoster(plan.otherStores)
        let store = RedisMemberStore(
            configuration: try plan.agentConfiguration(password: password),
            durability: plan.durability,
            directory: self.settings.storageDirectory,
            others: plan.otherStores,
            roster: roster
        ) { logger.warning("\($0)") }
        let desk = try self.makeDesk(of: plan, record: try store.readRecord())
        let ports = try MemberPorts(plan, keys: try LinkKeys(self.settings), logger: logger)
        let configuration = try plan.leaderConfiguration(password: password, roster: roster)
        let leader = try self.makeLeader(at: ports, desk: desk, logger: logger) {
            MemberJobStore(
                configuration: configuration,
                others: plan.others.map { MemberID($0.number) },
                roster: roster,
                authority: desk
            )
        }
        var services: [any Service] = [leader]
        if self.settings.durability == .memory {
            services.insert(try self.makeSync(of: plan, password: password, logger: logger), at: 0)
        }
        try await self.run(services, at: ports, of: plan, desk: desk, store: store, logger: logger)
    }

    /// The manager of one host in shared mode: the same, over the Redis of all managers.
    func runSharingManager() async throws {
        let logger = Logger(label: "manager")
        let shared = try SharedPlan(self.settings)
        try shared.checkEntry(logger: logger)
        let store = SharedMemberStore(
            configuration: try shared.agentConfiguration,
            membership: shared.member.membership
        ) { logger.warning("\($0)") }
        let desk = try self.makeDesk(of: shared.member, record: try store.readRecord())
        let configuration = try shared.leaderConfiguration
        let ports = try MemberPorts(shared.member, keys: try LinkKeys(self.settings), logger: logger)
        let leader = try self.makeLeader(at: ports, desk: desk, logger: logger) {
            SharedJobStore(configuration: configuration, authority: desk) { logger.error("\($0)") }
        }
        try await self.run([leader], at: ports, of: shared.member, desk: desk, store: store, logger: logger)
    }

    private func makeDesk(of plan: MemberPlan, record: MemberRecord) throws -> MemberDesk {
        MemberDesk(
            machine: MemberMachine(
                id: plan.id,
                membership: plan.membership,
                record: record,
                terms: plan.terms,
                at: Clocks.system.uptime()
            )
        )
    }

    /// Runs these services, and beside them the member that decides whether this manager leads.
    private func run(
        _ services: [any Service],
        at ports: MemberPorts,
        of plan: MemberPlan,
        desk: MemberDesk,
        store: any MemberStore,
        logger: Logger
    ) async throws {
        defer { ports.closeGates() }
        let network = try ZeroMQPeerNetwork(
            member: plan.id,
            endpoint: plan.peerEndpoint,
            others: plan.otherPeers,
            in: ports.memberContext,
            security: ports.memberSecurity
        )
        let keys = try plan.keys
        try await EtcdClient.withClient(plan.etcdConfiguration, uptime: Clocks.system.uptime) { client in
            let register = EtcdLeaderRegister(
                client: client,
                keys: keys,
                member: plan.id,
                memberList: plan.memberList,
                timeToLive: plan.terms.leaseTimeToLive
            ) { logger.warning("\($0)") }
            let member = MemberService(desk: desk, register: register, store: store, network: network, logger: logger)
            // What is started last is stopped first: a leader stops leading while its loop can still finish.
            let reloader = self.makeReloader(of: [], gates: ports.gates, logger: logger)
            try await self.run(services + [member, EtcdCare(register: register), reloader], logger: logger)
        }
    }

    private func makeLeader(
        at ports: MemberPorts,
        desk: MemberDesk,
        logger: Logger,
        makeStore: @escaping @Sendable () throws -> any JobStore
    ) throws -> ManagerService {
        let (endpoint, context, security) = (self.endpoint, ports.clientContext, ports.clientSecurity)
        return ManagerService(
            settings: self.managerSettings,
            election: desk,
            logger: logger,
            makeLink: { try ZeroMQLeaderLink(endpoint: endpoint, in: context, security: security) },
            makeStore: makeStore,
            extend: self.extend
        )
    }

    private func makeSync(of plan: MemberPlan, password: String, logger: Logger) throws -> AppendOnlyFileSync {
        let configuration = try plan.agentConfiguration(password: password)
        return AppendOnlyFileSync(
            endpoint: configuration.endpoint,
            options: RedisConnectionOptions(
                credentials: .init(username: configuration.username, password: password)
            ),
            logger: logger
        )
    }
}
