package import ZeroMQ

/// What a process needs for encrypted links: its own keys, and the list of everybody's.
package struct LinkCredentials: Sendable {
    package let keys: CurveKeyPair
    package let keyring: LinkKeyring

    package init(keys: CurveKeyPair, keyring: LinkKeyring) {
        self.keys = keys
        self.keyring = keyring
    }

    /// Reads both from files.
    package init(keysAt keyPath: String, keyringAt keyringPath: String) throws(LinkKeyError) {
        self.init(
            keys: try LinkKeyFile.keys(at: keyPath),
            keyring: try LinkKeyFile.keyring(at: keyringPath)
        )
    }

    /// Whether the list lets the owner of these keys be this.
    package func allow(_ role: LinkRole) -> Bool {
        self.keyring.has(self.keys.publicKey, as: role)
    }

    /// For a connection to a member, at whichever of its ports.
    package func connecting(toMember number: Int) throws(LinkKeyError) -> PeerSecurity {
        guard let serverKey = self.keyring.key(ofMember: number) else { throw .unlisted(member: number) }
        return PeerSecurity(keys: self.keys, serverKey: serverKey)
    }

    /// For a port of this process, which is that member: peers expect the key that the list has for it.
    ///
    /// - Parameter gate: of the context that the port is in.
    package func listening(
        asMember number: Int,
        at domain: LinkDomain,
        behind gate: KeyGate
    ) throws(LinkKeyError) -> ServerSecurity {
        guard let listed = self.keyring.key(ofMember: number) else { throw .unlisted(member: number) }
        guard listed == self.keys.publicKey else { throw .otherKey(member: number) }
        return ServerSecurity(keys: self.keys, gate: gate, domain: domain)
    }
}
