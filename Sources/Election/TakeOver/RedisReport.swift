package import JobCore

/// What a member's Redis says of itself.
package struct RedisReport: Hashable, Sendable {
    /// The position in its data; (0, 0) when there is none.
    package var position: Position
    /// Whether it follows a primary, and the stream from there is up.
    package var isLinkUp: Bool
    /// Whether it takes in or loads a whole data set.
    package var isSynchronizing: Bool
    /// Whether the AOF is being written anew; until that is done, its disk may hold an older data set.
    package var isRewriting: Bool
    /// Whether the file of a whole data set that a primary sent lies in the data directory.
    ///
    /// Redis synchronizes by itself after a broken link, without the agent. It writes this file before it loads it, which
    /// makes the file the trace of a data set that may not be in the AOF.
    package var hasTransferFile: Bool
    /// The members whose Redis follow this one, have everything, and said so within the last two seconds.
    ///
    /// Each member counts once, however many connections it has; whoever is no member does not count.
    package var replicas: MemberSet

    package init(
        position: Position,
        isLinkUp: Bool,
        isSynchronizing: Bool,
        isRewriting: Bool,
        hasTransferFile: Bool,
        replicas: MemberSet
    ) {
        self.position = position
        self.isLinkUp = isLinkUp
        self.isSynchronizing = isSynchronizing
        self.isRewriting = isRewriting
        self.hasTransferFile = hasTransferFile
        self.replicas = replicas
    }
}
