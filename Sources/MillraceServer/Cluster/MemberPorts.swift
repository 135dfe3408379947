import ClusterLinkZeroMQ
import Election
import Logging
import ZeroMQ

/// What the two ports of a member are opened with: a context for each, and the keys, if there are any.
///
/// The members' port has a context of its own, so that no traffic of clients holds up what members say to each other.
struct MemberPorts {
    let clientContext: ZeroMQContext
    let memberContext: ZeroMQContext
    let clientSecurity: ServerSecurity?
    let memberSecurity: MemberSecurity?
    /// Who decides whom the ports admit; none when everybody is.
    let gates: [KeyGate]

    init(_ plan: MemberPlan, keys: LinkKeys?, logger: Logger) throws {
        self.clientContext = try ZeroMQContext()
        self.memberContext = try ZeroMQContext()
        guard let keys else {
            (self.clientSecurity, self.memberSecurity, self.gates) = (nil, nil, [])
            return
        }
        try keys.require(.member)
        let others = try plan.others.map { (MemberID($0.number), try keys.connecting(to: $0)) }
        let clientGate = try keys.openGate(in: self.clientContext, logger: logger)
        let memberGate = try keys.openGate(in: self.memberContext, logger: logger)
        self.gates = [clientGate, memberGate]
        self.clientSecurity = try keys.listening(as: plan.id, at: .clients, behind: clientGate)
        self.memberSecurity = MemberSecurity(
            own: try keys.listening(as: plan.id, at: .members, behind: memberGate),
            others: Dictionary(others, uniquingKeysWith: { first, _ in first })
        )
    }

    func closeGates() {
        for gate in self.gates { gate.close() }
    }
}
