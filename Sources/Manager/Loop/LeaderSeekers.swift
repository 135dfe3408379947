import ClusterLink
import JobCore

/// The fronts that asked for a leader while this manager did not lead.
///
/// Their messages are thrown away, since they may be answered by another leader before this one leads. But each of them is
/// told once as soon as this one does, and need not ask again to find out.
struct LeaderSeekers {
    /// How long a front is taken to be still looking: longer than it waits before it asks again.
    static let lifetime = Duration.seconds(1)
    /// How many are remembered; more of them find the leader by asking again.
    static let bound = 4_096
    /// What asks for a leader is short.
    private static let byteBound = 4_096

    private var seekers: [SessionID: (peer: LinkPeer, at: Uptime)] = [:]

    /// Takes notice of a message that is thrown away.
    mutating func note(_ bytes: UnsafeRawBufferPointer, from peer: LinkPeer, at now: Uptime) {
        guard bytes.count <= Self.byteBound, let message = try? MessageToLeader(decoding: bytes) else { return }
        switch message {
        case .attach(let introduction): self.note(introduction.session, peer, at: now)
        case .heartbeat(let session, _): self.note(session, peer, at: now)
        case .detach(let session): self.seekers[session] = nil
        case .batch, .tick: return
        }
    }

    private mutating func note(_ session: SessionID, _ peer: LinkPeer, at now: Uptime) {
        if self.seekers.count >= Self.bound, self.seekers[session] == nil {
            self.seekers = self.seekers.filter { now < $0.value.at + Self.lifetime }
            guard self.seekers.count < Self.bound else { return }
        }
        self.seekers[session] = (peer: peer, at: now)
    }

    /// Those that are still looking; they are forgotten.
    mutating func take(at now: Uptime) -> [(session: SessionID, peer: LinkPeer)] {
        defer { self.seekers = [:] }
        return self.seekers.filter { now < $0.value.at + Self.lifetime }.map { ($0.key, $0.value.peer) }
    }
}
