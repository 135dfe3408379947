package import Election
import JobCore
package import JobStorage

/// The store of a leader in replicated mode: its own Redis, of which the other members have copies.
///
/// A transaction that it says is confirmed is with a majority of members, and the role of this one did not change since
/// before it was written. It answers nothing else: as long as too few have it, it asks them again, and when this member
/// must not lead any more, it throws `.disconnected`, because nobody knows what will become of what was written.
///
/// What was loaded under one ticket is written under no other, so that a load has to follow each change of the role. A
/// connection that broke is made anew by the next load only, and only to a Redis that holds the marker of the ticket's
/// epoch. One that was started anew since the marker was written may hold it, too, but it takes no writes (P11); since a
/// leader writes and waits for the majority before it serves anything, it serves nothing from there.
package final class MemberJobStore: JobStore, ReadsOverRedis {
    private let store: RedisJobStore
    private let authority: any WriteAuthority
    private let roster: ReplicaRoster
    private let others: [MemberID]
    private let acknowledgement: ReplicaAcknowledgement?
    /// What the data was loaded under.
    private var ticket: WriteTicket?
    /// Whether the authority was told that writes are not confirmed.
    private var isShort = false

    /// - Parameters:
    ///   - configuration: how the manager enters its own Redis, with the acknowledgement that makes a majority.
    ///   - others: the other members.
    ///   - roster: which replicas are theirs.
    package init(
        configuration: RedisStoreConfiguration,
        others: [MemberID],
        roster: ReplicaRoster,
        authority: any WriteAuthority
    ) {
        self.store = RedisJobStore(configuration: configuration)
        self.acknowledgement = configuration.acknowledgement
        self.authority = authority
        self.others = others.sorted()
        self.roster = roster
    }

    package func load() throws(StorageError) -> StoredState {
        self.ticket = nil
        guard let ticket = self.authority.ticket else { throw Self.over }
        let state = try self.store.load()
        guard state.position.epoch == ticket.epoch else {
            throw .disconnected(reason: "Redis does not hold the marker of epoch \(ticket.epoch.number)")
        }
        self.ticket = ticket
        return state
    }

    @discardableResult
    package func commit(_ transaction: StorageTransaction) throws(StorageError) -> Confirmation {
        guard let ticket, self.authority.ticket == ticket else { throw Self.over }
        do throws(StorageError) {
            var confirmation = try self.store.commit(transaction)
            while !self.isAcknowledged(confirmation, under: ticket) {
                guard self.authority.ticket == ticket else { throw Self.over }
                confirmation = try self.store.awaitConfirmation()
            }
            return .confirmed
        } catch {
            // Nothing was written, but another member may have room for it.
            if error.isDiskFailure { self.authority.noteRefusal(of: ticket) }
            throw self.translated(error, under: ticket)
        }
    }

    package func openReads() throws(StorageError) -> RedisReads {
        guard let ticket, self.authority.ticket == ticket else { throw Self.over }
        return try self.store.openReads()
    }

    /// Asks the authority, and tells it when too few members have what was written, or enough again.
    private func isAcknowledged(_ confirmation: Confirmation, under ticket: WriteTicket) -> Bool {
        let replicas = self.replicas(confirming: confirmation)
        let isConfirmed = confirmation == .confirmed
        if self.isShort || !isConfirmed { self.authority.noteConfirmation(of: ticket, by: replicas) }
        self.isShort = !isConfirmed
        return isConfirmed && self.authority.acknowledges(ticket, confirmedBy: replicas)
    }

    private func replicas(confirming confirmation: Confirmation) -> MemberSet {
        guard self.acknowledgement?.members == nil else {
            return self.roster.members(at: self.store.confirmingMembers)
        }
        // Where one other member is enough, it is not asked which: whoever replicates is one.
        let count = confirmation == .confirmed ? self.acknowledgement?.replicaCount ?? 0 : 0
        return MemberSet(self.others.prefix(count))
    }

    private func translated(_ error: StorageError, under ticket: WriteTicket) -> StorageError {
        error.forLeader(isLeading: self.authority.ticket == ticket)
    }

    private static var over: StorageError { .disconnected(reason: "this member does not lead any more") }
}
