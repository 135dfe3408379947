package import Election
import JobCore
package import JobStorage

/// The store of a leader in shared mode: one Redis for all managers, which somebody else keeps available.
///
/// What keeps a leader that was overtaken from writing is the fence of each transaction, and not the lease: whoever
/// leads next writes its epoch before it reads anything, and Redis drops every later transaction of the one before. A
/// transaction that was carried out is therefore part of what the next leader reads, and may be acknowledged even if this
/// one leads no more by then.
///
/// The Redis behind the address may become another one. Then the epoch is written anew and everything is read anew before
/// anything else is written; what that Redis does not have is reported, and gone.
package final class SharedJobStore: JobStore, ReadsOverRedis {
    private let store: RedisJobStore
    private let authority: any WriteAuthority
    private let recheckInterval: Duration
    private let report: (String) -> Void
    /// What the data was loaded under.
    private var ticket: WriteTicket?
    private var identity: RedisIdentity?
    private var checkedAt = ContinuousClock.now
    /// The last transaction of this store that was carried out.
    private var written: Position?

    /// - Parameters:
    ///   - configuration: where the Redis is; it says that others write to it, too.
    ///   - recheckInterval: how often, while it writes, the Redis is asked whether it is still the same.
    ///   - report: is told what an operator ought to know, in words.
    package init(
        configuration: RedisStoreConfiguration,
        authority: any WriteAuthority,
        recheckInterval: Duration = .seconds(1),
        report: @escaping (String) -> Void
    ) {
        precondition(configuration.isShared, "a store for several managers needs a fence")
        self.store = RedisJobStore(configuration: configuration)
        self.authority = authority
        self.recheckInterval = recheckInterval
        self.report = report
    }

    package func load() throws(StorageError) -> StoredState {
        self.ticket = nil
        guard let ticket = self.authority.ticket else { throw Self.over }
        do throws(StorageError) {
            let (state, claim) = try self.store.load(claiming: ticket.epoch)
            self.compare(claim)
            self.ticket = ticket
            return state
        } catch {
            throw self.translated(error, under: ticket)
        }
    }

    @discardableResult
    package func commit(_ transaction: StorageTransaction) throws(StorageError) -> Confirmation {
        guard let ticket, self.authority.ticket == ticket else { throw Self.over }
        do throws(StorageError) {
            try self.recheckWhenDue()
            let confirmation = try self.store.commit(transaction)
            self.written = transaction.position
            return confirmation
        } catch {
            let translated = self.translated(error, under: ticket)
            // Whatever is not a refusal leaves open what is there; only a new load tells.
            if case .refused = translated { throw translated }
            self.ticket = nil
            throw translated
        }
    }

    package func openReads() throws(StorageError) -> RedisReads {
        guard let ticket, self.authority.ticket == ticket else { throw Self.over }
        return try self.store.openReads()
    }

    private func recheckWhenDue() throws(StorageError) {
        let now = ContinuousClock.now
        guard now >= self.checkedAt + self.recheckInterval else { return }
        self.checkedAt = now
        let condition = try self.store.condition()
        try condition.requireWritable()
        guard condition.identity == self.identity else {
            throw .disconnected(reason: "another Redis answers at this address")
        }
    }

    /// Tells when the Redis is another one than before, and when it lacks what was written.
    private func compare(_ claim: RedisJobStore.Claim) {
        if let identity, identity != claim.identity {
            self.report("another Redis answers at this address, or it was started anew; the epoch was written again")
        }
        if let written, claim.found < written {
            self.report(
                "this Redis has lost what was acknowledged: it was at epoch \(written.epoch.number), sequence "
                    + "\(written.sequence), and is at epoch \(claim.found.epoch.number), sequence "
                    + "\(claim.found.sequence)"
            )
            self.written = nil
        }
        self.identity = claim.identity
        self.checkedAt = .now
    }

    private func translated(_ error: StorageError, under ticket: WriteTicket) -> StorageError {
        error.forLeader(isLeading: self.authority.ticket == ticket)
    }

    private static var over: StorageError { .disconnected(reason: "this manager does not lead any more") }
}
