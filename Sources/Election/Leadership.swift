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

/// Decides whether this manager leads.
///
/// The leader's thread asks; an implementation answers at once from what it knows, and does
/// its own waiting elsewhere.
package protocol Election: Sendable {
    /// The leadership that this manager holds now, or nil while somebody else leads or nobody does.
    ///
    /// `latest` is the greatest epoch that the data has seen; a new leadership has a greater one.
    func leadership(after latest: Epoch, at now: Uptime) -> Leadership?

    /// Gives the leadership up, because the leader cannot do its work.
    func resign(_ leadership: Leadership)
}
