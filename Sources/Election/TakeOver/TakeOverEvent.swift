package import JobCore

/// What happens to a member.
///
/// The machine believes an answer from etcd or Redis only when it fits what is under way, so that a late one is harmless.
package enum TakeOverEvent: Hashable, Sendable {
    /// Time went by; due at the latest at the machine's `nextDeadline`.
    case tick
    /// Another member said something; the link has checked who it is.
    case message(PeerMessage, from: MemberID)
    /// The connection to another member was reset.
    case disconnected(MemberID)
    /// The connection to another member is there again.
    case connected(MemberID)
    /// The record is on disk, the directory synced.
    case stored(MemberRecord)
    /// etcd answered, or a watch told something.
    case etcd(EtcdEvent)
    /// The Redis of this member answered, or started, or stopped.
    case redis(RedisEvent)
    /// The leader's loop wrote a transaction and waited for it; these members confirmed it.
    case committed(WriteTicket, replicas: MemberSet)
    /// Redis refused a transaction of the leader's loop, as it will every other: it cannot write to its disk.
    case refused(WriteTicket)
    /// The leader's loop, told to pause, has nothing uncommitted any more.
    case drained(Epoch)
    /// An operator or the process asks for something.
    case command(OperatorCommand)
}

/// What etcd answers.
package enum EtcdEvent: Hashable, Sendable {
    /// The state, by watch.
    case state(ClusterState)
    /// The state, by a linearizable read that began after it was asked for.
    case read(ClusterState, askedAt: Uptime)
    /// The bid created the leader key, with this create revision.
    case won(Epoch, askedAt: Uptime)
    /// The bid found a leader key, or could not be made.
    case lost(askedAt: Uptime)
    /// The lease was renewed.
    case kept(Epoch, askedAt: Uptime)
    /// The lease or the leader key of this epoch is no more.
    case expired(Epoch)
    /// The leader key was still that of this epoch, and etcd has that the cluster began with it.
    case founded(Epoch)
    /// The leader key was still that of this epoch, and the primary is now this member.
    case published(Epoch)
}

/// What this member's Redis answers.
package enum RedisEvent: Hashable, Sendable {
    /// Redis runs and follows nobody, or was found running.
    ///
    /// Every connection that an earlier process of this member made was dropped before. `isIntact` is false when there is
    /// no data, and when there is a transfer file (`RedisReport.hasTransferFile`): the AOF may then hold an older data set.
    /// The run is named when Redis confirms what is in its memory only, and nil when it confirms nothing before it is on its
    /// disk.
    case started(isIntact: Bool, run: RedisRun?)
    /// The process is gone.
    case stopped
    /// The commands of a `detach` are done; the report was made after them.
    case detached(operation: UInt64, RedisReport)
    /// Redis is a primary, and the marker of the epoch is written at this position.
    case promoted(operation: UInt64, Position)
    /// Redis was told to follow, and how to call itself; the link need not be up.
    ///
    /// The name is nil where nobody asks for one.
    case replicating(operation: UInt64, as: ReplicaName?)
    /// A command could not be carried out, or its outcome is unknown.
    case failed(operation: UInt64)
    /// These members have the marker of this epoch on disk.
    case markerHeld(Epoch, by: MemberSet)
    /// The answer to `inspect`.
    case inspected(operation: UInt64, RedisReport)
}

/// What is asked of a member from outside.
package enum OperatorCommand: Hashable, Sendable {
    /// Leads no more and campaigns no more; a leader lets another member lead at once.
    case stop
    /// Lets this member lead next, once it has everything; nothing happens unless this member leads.
    case handOver(to: MemberID)
    /// Leads although no majority votes, with the greatest position among those that answer.
    ///
    /// Without `acceptLoss` it only reports what each member has. It holds until there is a primary, and at most for
    /// `TakeOverTerms.recoveryBound`: what was accepted in one emergency is not accepted in the next. The member with the
    /// greatest position has to be told.
    case recover(acceptLoss: Bool)
}
