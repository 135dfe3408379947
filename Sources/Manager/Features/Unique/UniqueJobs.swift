import Crypto
import JobCore
import JobStorage
import Logging

/// Jobs of which there is only one at a time (`unique_for`, as Faktory Enterprise has it).
///
/// A PUSH takes a lock for its jobtype, queue and arguments; a PUSH of another job under the same lock is refused until the
/// lock is free. A lock is free when its time is over, or when its owner has come as far as `unique_until` says. The lock is
/// taken and freed in the transaction of the PUSH, the FETCH and the ACK, so that no fail-over leaves one without its job.
struct UniqueJobs: JobFeature {
    static let names = FeatureNames(
        flat: ["unique_for", "unique_until"],
        own: ["unique_key", "unique_scope", "unique_conflict"]
    )

    func admit(_ job: inout Job, _ options: JobOptions, in manager: JobManager) throws(KnownError) -> Bool {
        guard let unique = try UniqueOptions(options) else { return true }
        manager.turnByteCount += unique.weight(of: job)
        let name = try unique.lockName(for: job)
        if let holder = manager.holder(ofLock: name), holder != job.id {
            guard unique.conflict == .reject else { return false }
            throw .expected(code: "NOTUNIQUE", message: "Job not unique")
        }
        manager.take(lock: name, for: job.id, until: unique.end(for: job, pushedAt: manager.now.wall))
        return true
    }

    func drop(_ job: Job, _ options: JobOptions, in manager: JobManager) {
        guard let unique = try? UniqueOptions(options), let name = try? unique.lockName(for: job) else { return }
        if unique.until != .expiry { manager.free(lock: name, of: job.id) }
    }

    func reserve(_ job: Job, _ options: JobOptions, as reservation: Reservation, in manager: JobManager) {
        guard let unique = try? UniqueOptions(options), let name = try? unique.lockName(for: job) else { return }
        manager.turnByteCount += unique.weight(of: job)
        switch unique.until {
        case .start:
            // Should the job come back without a worker's having had it, it is to have its lock as before.
            if let end = manager.end(ofLock: name, heldBy: job.id) { reservation.lock = ReservedLock(name, until: end) }
            manager.free(lock: name, of: job.id)
        case .success:
            reservation.lock = ReservedLock(name, until: nil)
        case .expiry:
            break
        }
    }

    func names(for job: Job, _ options: JobOptions) -> (table: Table, names: [[UInt8]])? {
        guard let unique = try? UniqueOptions(options), let name = try? unique.lockName(for: job) else { return nil }
        return (.locks, [name])
    }

    /// A dead job that comes back takes its lock anew; while another one has it, it stays dead.
    func mayRequeue(_ job: Job, _ options: JobOptions, in manager: JobManager) -> Bool {
        guard let unique = try? UniqueOptions(options), let name = try? unique.lockName(for: job) else { return true }
        if let holder = manager.holder(ofLock: name), holder != job.id {
            manager.logger.info(
                "a dead job stays, since another one holds its lock",
                metadata: ["jid": "\(job.id)", "holder": "\(holder)"]
            )
            return false
        }
        manager.take(lock: name, for: job.id, until: unique.end(for: nil, pushedAt: manager.now.wall))
        return true
    }
}

/// What a job says of its being unique.
struct UniqueOptions {
    /// When a lock is free before its time is over.
    enum Until: String, CaseIterable {
        /// When the job has been done.
        case success
        /// When a worker has begun it.
        case start
        /// Not before.
        case expiry
    }

    /// Where another job of the same arguments is in the way.
    enum Scope: String, CaseIterable {
        case queue
        case global
    }

    /// What a PUSH is told that finds the lock taken.
    enum Conflict: String, CaseIterable {
        /// `NOTUNIQUE`.
        case reject
        /// That all is well; the job is not stored.
        case ignore
    }

    /// How many bytes and values the arguments may have that are compared: they are put into one form where others wait.
    static let argumentByteBound = 256 << 10
    static let argumentCountBound = 20_000
    /// What it costs to bring a byte of the arguments into one form, in bytes of a turn.
    static let weightOfByte = 32
    /// How many bytes a key may have.
    static let keyByteBound = 1_024

    let length: Duration
    let until: Until
    let conflict: Conflict
    private let scope: Scope
    /// What stands for the arguments.
    private let key: String?

    /// Nil when the job may be there as often as it likes.
    init?(_ options: JobOptions) throws(KnownError) {
        let length = try options.seconds("unique_for")
        let until = try options.choice("unique_until", as: Until.self)
        let scope = try options.choice("unique_scope", as: Scope.self)
        let conflict = try options.choice("unique_conflict", as: Conflict.self)
        let key = try options.ownText("unique_key")
        guard key?.utf8.count ?? 0 <= Self.keyByteBound else {
            throw .wrongOption("\(JobOptions.ownKey).unique_key", "must have at most \(Self.keyByteBound) bytes")
        }
        guard let length else {
            for name in UniqueJobs.names.flat + UniqueJobs.names.own where options.has(name) {
                let isFlat = UniqueJobs.names.flat.contains(name)
                throw .wrongOption(isFlat ? name : "\(JobOptions.ownKey).\(name)", "needs unique_for beside it")
            }
            return nil
        }
        // Upstream has a lock of no length, too: it is gone at once.
        guard length > .zero else { return nil }
        self.length = length
        self.until = until ?? .success
        self.scope = scope ?? .queue
        self.conflict = conflict ?? .reject
        self.key = key
    }

    /// When the lock is free if nothing else frees it; the time until a scheduled job is due is added.
    func end(for job: Job?, pushedAt now: WallTime) -> WallTime {
        max(job?.at ?? now, now) + self.length
    }

    /// What part of a turn it takes to work out the name of the lock, in bytes.
    func weight(of job: Job) -> Int {
        self.key == nil ? min(job.arguments.count, Self.argumentByteBound) * Self.weightOfByte : 0
    }

    /// The name of the lock: a SHA-256 of what must be there only once.
    func lockName(for job: Job) throws(KnownError) -> [UInt8] {
        var hash = SHA256()
        Self.add(job.type.utf8, to: &hash)
        Self.add(self.scope == .global ? "".utf8 : job.queue.text.utf8, to: &hash)
        if let key = self.key {
            Self.add("key".utf8, to: &hash)
            Self.add(key.utf8, to: &hash)
        } else {
            Self.add("args".utf8, to: &hash)
            guard job.arguments.count <= Self.argumentByteBound,
                let arguments = CanonicalJSON.bytes(of: job.arguments, atMost: Self.argumentCountBound)
            else {
                throw .wrongOption("unique_for", "needs millrace.unique_key beside it for arguments as large as these")
            }
            Self.add(arguments, to: &hash)
        }
        return Array(hash.finalize())
    }

    /// Each part with its length, so that no two lists of parts look alike.
    private static func add(_ bytes: some Collection<UInt8>, to hash: inout SHA256) {
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: Array(bytes))
    }
}
