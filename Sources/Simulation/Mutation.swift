/// A rule of the take-over protocol that is broken on purpose, to show that the simulation notices.
package enum Mutation: String, CaseIterable, Sendable {
    /// A cut reads the position and detaches nothing, as Sentinel does.
    case noCut = "no-cut"
    /// A member obeys an epoch below its promise.
    case promiseIgnored = "promise-ignored"
    /// A member that restarts has promised nothing.
    case promiseForgotten = "promise-forgotten"
    /// Positions are compared by their length, whoever wrote them.
    case lengthCompared = "length-compared"
    /// A member that lost its data votes.
    case emptyMemberVotes = "empty-member-votes"
    /// A write is acknowledged when the primary has it.
    case noMajority = "no-majority"
    /// A Redis that was stopped in the middle of a full synchronization counts as one that has everything.
    case resynchronizationForgotten = "resynchronization-forgotten"
}
