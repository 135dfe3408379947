package import JobCore

/// What a member's shell has to do.
package enum TakeOverAction: Hashable, Sendable {
    /// Sends a message to another member; it need not arrive.
    case send(PeerMessage, to: MemberID)
    /// Writes the record to disk, syncs it, and says `stored`; a shell that cannot do that ends the process.
    case store(MemberRecord)
    /// Asks etcd.
    case etcd(EtcdAction)
    /// Commands this member's Redis.
    case redis(RedisAction)
    /// The Redis of this member is known by this name from now on: a replica that calls itself otherwise is not its.
    case admit(ReplicaName, of: MemberID)
    /// The leader's loop may read and write from now on, under this ticket, over the connection that wrote the marker.
    ///
    /// Should that one be broken, the loop ends. Over another one it might find a Redis that was started anew meanwhile,
    /// without the data, before this machine has heard of it.
    case startServing(WriteTicket)
    /// The leader's loop takes nothing more, commits what it has and says `drained`.
    case pauseServing(Epoch)
    /// The leader's loop ends at once; the outcome of what is pending is unknown.
    case stopServing(Epoch)
    /// What a `recover` found: how far the data of a member that answered is.
    case reportPosition(MemberID, Position, isVoter: Bool)
    /// This member was told to stop, and has nothing more to do once what was asked before is done.
    case stopped
}

/// What is asked of etcd.
package enum EtcdAction: Hashable, Sendable {
    /// Reads the state, linearizably; the moment comes back with the answer.
    case readState(askedAt: Uptime)
    /// Sees to it that the next epoch is greater than this one, removes the leader key if it was not, and reads the state.
    case raiseEpochs(above: Epoch, askedAt: Uptime)
    /// Takes a lease of `TakeOverTerms.leaseTimeToLive` and creates the leader key under it if there is none.
    ///
    /// The moment comes back with the answer.
    case campaign(askedAt: Uptime)
    /// Renews the lease of this epoch; the moment comes back with the answer.
    case keepAlive(Epoch, askedAt: Uptime)
    /// If the leader key is still that of this epoch, writes that the cluster began with it.
    case found(Epoch)
    /// If the leader key is still that of this epoch, names this member the primary and removes the preference.
    case publish(Epoch)
    /// If the leader key is still that of this epoch, removes it: its holder is suspected by a majority.
    case removeLeader(Epoch)
    /// If the leader key is still that of this epoch, removes it and names the preference, if there is one; ends the lease.
    case resign(Epoch, preferring: MemberID?)
}

/// What is asked of this member's Redis.
///
/// Operations are numbered and issued one after the other. When one has succeeded, no earlier one may take effect any
/// more; a shell that gave up on one has to make sure of it (`detach` drops every connection but its own).
package enum RedisAction: Hashable, Sendable {
    /// Follows a void address, drops every other connection, then reports: `detached` or `failed`.
    case detach(operation: UInt64)
    /// Drops every other connection, follows nobody, writes the epoch's marker transaction: `promoted` or `failed`.
    case promote(operation: UInt64, Epoch)
    /// Follows the Redis of this member: `replicating` or `failed`.
    case replicate(operation: UInt64, from: MemberID)
    /// Waits, on the connection that wrote the marker, until so many other members confirmed it or the time is over;
    /// answers `markerHeld` either way.
    case awaitMarker(Epoch, replicaCount: Int, within: Duration)
    /// Removes the transfer file (`RedisReport.hasTransferFile`); a data set that comes later leaves a new one.
    case removeTransferFile
    /// Asks for a report: `inspected`.
    case inspect(operation: UInt64)
}
