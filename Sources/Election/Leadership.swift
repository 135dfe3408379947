package import JobCore

/// The right to lead: which number this leadership has, and until when it may be trusted.
///
/// A leader may be wrong about itself, so that its safety never rests on `trustedUntil`
/// alone; every transaction carries the epoch as well.
package struct Leadership: Hashable, Sendable {
    /// The number of this leadership.
    package var epoch: Epoch
    /// Monotonic time after which the leader must not act without having renewed; nil for ever.
    package var trustedUntil: Uptime?

    package init(epoch: Epoch, trustedUntil: Uptime?) {
        self.epoch = epoch
        self.trustedUntil = trustedUntil
    }
}

/// What is expected of a leader's loop.
package enum LeaderDuty: Hashable, Sendable {
    /// Serve.
    case lead
    /// Take nothing more, and answer what was written.
    case finish
    /// End at once, and answer nothing: somebody else may lead.
    case leave
}

/// Decides whether this manager leads.
///
/// The leader's thread asks; an implementation answers at once from what it knows, and does
/// its own waiting elsewhere.
package protocol Election: Sendable {
    /// Whether the store is this manager's to load; if not, somebody else leads or nobody does.
    var mayLoad: Bool { get }

    /// Whether somebody else may lead before this manager knows, so that only a transaction proves that it still leads.
    var needsProof: Bool { get }

    /// The leadership that this manager holds now, or nil while somebody else leads or nobody does.
    ///
    /// `latest` is the greatest epoch that the data has seen; a new leadership has no lesser one. A loop that was given
    /// a leadership says `resign` when it ends, however that comes about.
    func leadership(after latest: Epoch, at now: Uptime) -> Leadership?

    /// What is expected of the loop that was given the leadership of this epoch.
    func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty

    /// Gives the leadership up: the loop that it was given to has ended.
    func resign(_ leadership: Leadership)

    /// Calls back, from any thread, whenever the answers to these questions may have changed.
    func onChange(_ notify: @escaping @Sendable () -> Void)
}
