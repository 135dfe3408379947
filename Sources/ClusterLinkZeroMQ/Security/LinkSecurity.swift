import ClusterLink
package import Election
package import ZeroMQ

/// What makes the listening end of a link an encrypted one.
package struct ServerSecurity: Sendable {
    /// The listener's own keys.
    package var keys: CurveKeyPair
    /// Who is admitted; of the context that the link is in.
    package var gate: KeyGate
    /// Which of the manager's ports it is.
    package var domain: LinkDomain

    package init(keys: CurveKeyPair, gate: KeyGate, domain: LinkDomain) {
        self.keys = keys
        self.gate = gate
        self.domain = domain
    }

    /// Whose key a message came in with by this port; nil if it may not be heard.
    func owner(of message: borrowing ZeroMQMessage) -> LinkOwner? {
        self.gate.owner(of: message, at: self.domain)
    }
}

/// What makes the connecting end of a link an encrypted one.
package struct PeerSecurity: Sendable {
    /// The peer's own keys.
    package var keys: CurveKeyPair
    /// The public key that the listener must have.
    package var serverKey: CurveKey

    package init(keys: CurveKeyPair, serverKey: CurveKey) {
        self.keys = keys
        self.serverKey = serverKey
    }
}

/// What makes the links of a member to the others encrypted ones.
package struct MemberSecurity: Sendable {
    /// For the port at which this member listens.
    package var own: ServerSecurity
    /// For the connection to each other member.
    package var others: [MemberID: PeerSecurity]

    package init(own: ServerSecurity, others: [MemberID: PeerSecurity]) {
        self.own = own
        self.others = others
    }
}

/// The beginning of a connection, before anything may be said over it.
enum LinkHandshake {
    /// How long a peer may take for it, with keys or without.
    static let limit = Duration.seconds(5)
}

extension ZeroMQSocketOptions {
    mutating func secure(_ security: ServerSecurity) {
        self.curve = .server(secretKey: security.keys.secretKey)
        self.zapDomain = security.domain.rawValue
    }

    mutating func secure(_ security: PeerSecurity) {
        self.curve = .client(security.keys, serverKey: security.serverKey)
    }
}
