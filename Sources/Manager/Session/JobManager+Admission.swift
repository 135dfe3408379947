import ClusterLink
import JobCore
import JobStorage
import Logging

extension JobManager {
    /// Whether a message may be heard that this peer has sent.
    ///
    /// A key is good for its role alone, and a session belongs to the key that began it. What is not heard is not answered
    /// either, and its lines are sampled: whoever may speak to the leader must not fill its log.
    func mayHear(_ message: MessageToLeader, from peer: LinkPeer) -> Bool {
        if let owner = peer.owner, !owner.maySend(message) {
            self.refuse("a key was used for what its role may not do", of: peer)
            return false
        }
        switch message {
        case .attach(let introduction):
            guard introduction.name.utf8.count <= SessionBound.nameByteCount,
                introduction.name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
            else {
                self.refuse("a front has a name that cannot be one", of: peer)
                return false
            }
            return self.owns(introduction.session, peer)
        case .batch(let batch):
            guard batch.lane.lane < SessionBound.laneCount else {
                self.refuse("a front has more lanes than it may have", of: peer)
                return false
            }
            return self.owns(batch.lane.session, peer)
        case .heartbeat(let session, _), .detach(let session):
            return self.owns(session, peer)
        case .tick:
            return true
        }
    }

    /// Whether a session is this peer's, or nobody's yet.
    private func owns(_ id: SessionID, _ peer: LinkPeer) -> Bool {
        guard let session = self.sessions[id], !session.mayBelong(to: peer) else { return true }
        self.refuse("a key was used for the session of another one", of: peer)
        return false
    }

    /// Makes room for one more session; false when every one that could be ended is in use.
    func makeRoomForSession(of peer: LinkPeer) -> Bool {
        let key = peer.owner?.key
        if key == nil, self.sessions.count < SessionBound.sessionCount { return true }
        // Whoever asks again and again must not have all sessions looked at each time.
        if let roomAt = self.sessionRoomAt[key], self.now.uptime < roomAt {
            self.refuse("there are too many sessions", of: peer)
            return false
        }
        var candidates: [FrontSession] = []
        if let key { candidates = self.sessions.values.filter { $0.key == key } }
        if candidates.count < SessionBound.sessionsPerKey {
            guard self.sessions.count >= SessionBound.sessionCount else { return true }
            candidates = Array(self.sessions.values)
        }
        guard let idlest = candidates.min(by: { $0.lastHeard < $1.lastHeard }) else { return false }
        let roomAt = idlest.lastHeard + SessionBound.idleTime
        guard roomAt <= self.now.uptime else {
            self.sessionRoomAt[key] = roomAt
            self.refuse("there are too many sessions", of: peer)
            return false
        }
        self.end(idlest)
        return true
    }

    /// Notes whose a session is, from now on and for the next leader.
    func bind(_ session: FrontSession, to peer: LinkPeer) {
        guard let key = peer.owner?.key, session.key != key else { return }
        session.key = key
        self.transaction.sessions[session.id] = .some(SessionLabel(name: session.name, key: key).text)
    }

    /// Tells the log of something that a peer may not do, the first time and then once a minute.
    func refuse(_ reason: String, of peer: LinkPeer) {
        let key = peer.owner?.key ?? "none"
        guard let count = self.refusals.note("\(key) \(reason)", at: self.now.uptime) else { return }
        self.logger.warning(
            "a message was refused",
            metadata: ["reason": "\(reason)", "key": "\(key)", "count": "\(count)"]
        )
    }
}
