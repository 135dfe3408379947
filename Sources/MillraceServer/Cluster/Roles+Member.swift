import ClusterLinkZeroMQ
import Election
import ElectionEtcd
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
        let store = RedisMemberStore(
            configuration: try plan.agentConfiguration(password: password),
            directory: self.settings.storageDirectory,
            others: plan.otherStores
        ) { logger.warning("\($0)") }
        let machine = MemberMachine(
            id: plan.id,
            membership: plan.membership,
            record: try store.readRecord(),
            terms: plan.terms,
            at: Clocks.system.uptime()
        )
        let desk = MemberDesk(machine: machine)
        let ports = try MemberPorts(plan, keys: try LinkKeys(self.settings), logger: logger)
        defer { ports.closeGates() }
        let network = try ZeroMQPeerNetwork(
            member: plan.id,
            endpoint: plan.peerEndpoint,
            others: plan.otherPeers,
            in: ports.memberContext,
            security: ports.memberSecurity
        )
        let leader = try self.makeLeader(of: plan, at: ports, desk: desk, password: password, logger: logger)
        let keys = try plan.keys
        try await EtcdClient.withClient(plan.etcdConfiguration, uptime: Clocks.system.uptime) { client in
            let register = EtcdLeaderRegister(
                client: client,
                keys: keys,
                member: plan.id,
                memberList: plan.memberList,
                timeToLive: plan.terms.leaseTimeToLive
            )
            let member = MemberService(desk: desk, register: register, store: store, network: network, logger: logger)
            var services: [any Service] = [
                leader, member, self.makeReloader(of: [], gates: ports.gates, logger: logger),
            ]
            if self.settings.durability == .memory {
                services.insert(try self.makeSync(of: plan, password: password, logger: logger), at: 0)
            }
            // What is started last is stopped first: a leader stops leading while its loop can still finish.
            try await self.run(services, logger: logger)
        }
    }

    private func makeLeader(
        of plan: MemberPlan,
        at ports: MemberPorts,
        desk: MemberDesk,
        password: String,
        logger: Logger
    ) throws -> ManagerService {
        let configuration = try plan.leaderConfiguration(password: password)
        let (endpoint, context, security) = (self.endpoint, ports.clientContext, ports.clientSecurity)
        return ManagerService(
            settings: self.managerSettings,
            election: desk,
            logger: logger,
            makeLink: { try ZeroMQLeaderLink(endpoint: endpoint, in: context, security: security) },
            makeStore: {
                MemberJobStore(configuration: configuration, others: plan.otherStores, authority: desk)
            },
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
