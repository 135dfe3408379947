/// A rule of the take-over protocol that is broken on purpose, to show that the simulation notices.
package enum Mutation: String, CaseIterable, Sendable {
    /// A cut reads the position and detaches nothing, as Sentinel does.
    case noCut = "no-cut"
    /// A member obeys an epoch below its promise, and does not look for a newer leader key either.
    ///
    /// Both defences have to go, here and below: while the disk is kept, each of them alone is enough.
    case promiseIgnored = "promise-ignored"
    /// A member that restarts has promised nothing, and does not look for a newer leader key either.
    case promiseForgotten = "promise-forgotten"
    /// A member that lost its disk, and its promise with it, follows a primary that holds the leader key no more.
    case deposedPrimaryFollowed = "deposed-primary-followed"
    /// Positions are compared by their length, whoever wrote them.
    case lengthCompared = "length-compared"
    /// A member that lost its data votes.
    case emptyMemberVotes = "empty-member-votes"
    /// A member whose Redis was started anew votes although what it confirmed was in memory only.
    case restartedMemberVotes = "restarted-member-votes"
    /// A write is acknowledged when the primary has it.
    case noMajority = "no-majority"
    /// A Redis that was stopped in the middle of a full synchronization counts as one that has everything.
    case resynchronizationForgotten = "resynchronization-forgotten"
    /// A candidate is promoted while its disk still has an older data set.
    case unsettledLeader = "unsettled-leader"
    /// The member that served last leads a majority without votes although it has lost its own.
    case lastPrimaryWithoutVote = "last-primary-without-vote"
    /// A leader that is to hand over holds its clients up until its successor has everything, however long that takes.
    case endlessHandOver = "endless-hand-over"
    /// The greatest position of all leads although a member came back without its data.
    case emptyMemberOverlooked = "empty-member-overlooked"

    /// Where it is noticed.
    package var scenario: Scenario { self == .endlessHandOver ? .stalledHandOver : .anything }
}
