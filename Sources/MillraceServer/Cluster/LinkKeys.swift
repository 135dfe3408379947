import ClusterLinkZeroMQ
import Election
import Logging
import ZeroMQ

/// The keys with which a process encrypts its links to other hosts, and the gates at its own ports.
struct LinkKeys: Sendable {
    /// What is wrong with the keys; in words, with the setting that it concerns.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let cluster: ClusterSection
    private let credentials: LinkCredentials

    /// Reads the files that the settings name; nil when they name none.
    init?(_ settings: Settings) throws(Failure) {
        guard settings.mode != .single else { return nil }
        try self.init(settings.cluster)
    }

    /// Reads the files that the settings of a cluster name; nil when they name none.
    init?(_ cluster: ClusterSection) throws(Failure) {
        guard let keyPath = cluster.curveKey, let listPath = cluster.curveAllowed else { return nil }
        let keys = try Self.naming("cluster.curve_key") { () throws(LinkKeyError) in
            try LinkKeyFile.keys(at: keyPath)
        }
        let keyring = try Self.naming("cluster.curve_allowed") { () throws(LinkKeyError) in
            try LinkKeyFile.keyring(at: listPath)
        }
        self.cluster = cluster
        self.credentials = LinkCredentials(keys: keys, keyring: keyring)
        // Whoever connects anywhere has to know all of them.
        for member in cluster.members { _ = try self.connecting(to: member) }
    }

    private static func naming<Value>(
        _ setting: String,
        _ body: () throws(LinkKeyError) -> Value
    ) throws(Failure) -> Value {
        do throws(LinkKeyError) {
            return try body()
        } catch {
            throw Failure(description: "\(setting): \(error)")
        }
    }

    /// Makes sure that the others will take this process for what it is.
    func require(_ role: LinkRole) throws(Failure) {
        guard !self.credentials.allow(role) else { return }
        let key = self.credentials.keys.publicKey.text
        let reason = "has no line \"\(role.rawValue) \(key)\", which this process needs"
        throw Failure(description: "cluster.curve_allowed: \(self.cluster.curveAllowed ?? "") \(reason)")
    }

    /// For a connection to a member, at whichever of its ports.
    func connecting(to member: ClusterSection.Member) throws(Failure) -> PeerSecurity {
        try Self.naming("cluster.curve_allowed") { () throws(LinkKeyError) in
            try self.credentials.connecting(toMember: Int(member.number))
        }
    }

    /// For a port of this member.
    func listening(
        as member: MemberID,
        at domain: LinkDomain,
        behind gate: KeyGate
    ) throws(Failure) -> ServerSecurity {
        try Self.naming("cluster.curve_allowed") { () throws(LinkKeyError) in
            try self.credentials.listening(asMember: Int(member.number), at: domain, behind: gate)
        }
    }

    /// Opens the gate of a context, which says in the log whom it turned away.
    func openGate(in context: ZeroMQContext, logger: Logger) throws -> KeyGate {
        let log = RefusalLog(logger: logger)
        return try KeyGate(self.credentials.keyring, in: context) { log.note($0) }
    }

    /// Reads the list anew, and lets gates admit by it from now on.
    static func reload(_ gates: [KeyGate], from cluster: ClusterSection) throws(Failure) {
        // Encryption is not switched off without a start.
        guard !gates.isEmpty, let path = cluster.curveAllowed else { return }
        let keyring = try Self.naming("cluster.curve_allowed") { () throws(LinkKeyError) in
            try LinkKeyFile.keyring(at: path)
        }
        for gate in gates { gate.replace(with: keyring) }
    }
}
