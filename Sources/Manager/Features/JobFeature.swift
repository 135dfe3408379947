import JobCore
package import JobStorage

/// What a feature of jobs adds to the rules; its options, tables and hooks are in a folder of its own.
///
/// A hook is called for jobs that carry options alone, so that the others pay for no feature. What it changes goes with the
/// transaction of the turn.
protocol JobFeature: Sendable {
    /// The names of its options.
    static var names: FeatureNames { get }

    /// Whether a job that is pushed is stored; otherwise it is answered as if it had been.
    ///
    /// - Throws: what the client is told in place of the job's being stored.
    func admit(_ job: inout Job, _ options: JobOptions, in manager: JobManager) throws(KnownError) -> Bool

    /// What becomes of a job that a FETCH has found; nil when it may be handed out.
    func outcome(ofTaking job: Job, _ options: JobOptions, in manager: JobManager) -> Outcome?

    /// The job has ended before a worker had it.
    func drop(_ job: Job, _ options: JobOptions, in manager: JobManager)

    /// A worker is given the job.
    func reserve(_ job: Job, _ options: JobOptions, as reservation: Reservation, in manager: JobManager)

    /// The names of the records that `admit` will look at, so that a turn can ask for all of them at once.
    func names(for job: Job, _ options: JobOptions) -> (table: Table, names: [[UInt8]])?

    /// Whether a dead job that carries options may go back to its queue.
    func mayRequeue(_ job: Job, _ options: JobOptions, in manager: JobManager) -> Bool
}

extension JobFeature {
    func outcome(ofTaking job: Job, _ options: JobOptions, in manager: JobManager) -> Outcome? { nil }
    func drop(_ job: Job, _ options: JobOptions, in manager: JobManager) {}
    func reserve(_ job: Job, _ options: JobOptions, as reservation: Reservation, in manager: JobManager) {}
    func names(for job: Job, _ options: JobOptions) -> (table: Table, names: [[UInt8]])? { nil }
    func mayRequeue(_ job: Job, _ options: JobOptions, in manager: JobManager) -> Bool { true }
}

extension JobManager {
    /// The features, in the order of their hooks.
    ///
    /// A lock is the last thing that a PUSH takes: what another feature refuses must hold none.
    static let features: [any JobFeature] = [ExpiringJobs(), UniqueJobs()]

    private static let featureNames = FeatureNames(
        flat: JobManager.features.flatMap { type(of: $0).names.flat },
        own: JobManager.features.flatMap { type(of: $0).names.own }
    )

    /// The options of a job; nil when it carries none.
    func options(of job: Job) throws(KnownError) -> JobOptions? {
        guard job.hasCustom else { return nil }
        return try JobOptions(of: job, knownTo: Self.featureNames)
    }

    /// The options of a job that was let in; an earlier version may have let in what cannot be read now.
    func acceptedOptions(of job: Job) -> JobOptions? {
        guard job.hasCustom else { return nil }
        return try? self.options(of: job)
    }

    // MARK: Hooks

    /// Asks the features whether a job is stored that a client pushes; they may change it.
    func admit(_ job: inout Job) throws(KnownError) -> Bool {
        guard let options = try self.options(of: job) else { return true }
        for feature in Self.features where try !feature.admit(&job, options, in: self) { return false }
        return true
    }

    /// What becomes of a job that a FETCH has found; nil when it may be handed out.
    func outcome(ofTaking job: Job, _ options: JobOptions) -> Outcome? {
        for feature in Self.features {
            guard let outcome = feature.outcome(ofTaking: job, options, in: self) else { continue }
            for feature in Self.features { feature.drop(job, options, in: self) }
            return outcome
        }
        return nil
    }

    /// Tells the features that a worker is given a job.
    func tellFeatures(of reservation: Reservation, for job: Job, _ options: JobOptions) {
        for feature in Self.features { feature.reserve(job, options, as: reservation, in: self) }
    }

    /// Whether a dead job may go back to its queue.
    func mayRequeue(_ job: Job) -> Bool {
        guard let options = self.acceptedOptions(of: job) else { return true }
        return Self.features.allSatisfy { $0.mayRequeue(job, options, in: self) }
    }

    // MARK: Facts

    /// A record of a table as it is at this point of the turn; nil when there is none, or it is damaged.
    ///
    /// When the store cannot be asked, the turn comes to nothing: its commit throws what the store said.
    func record(_ name: [UInt8], in table: Table) -> TableRecord? {
        self.usesTables = true
        if let change = self.transaction.tables[table]?[name] { return change }
        if let asked = self.askedRecords[table]?[name] { return asked }
        self.askRecords([name], in: table)
        return self.askedRecords[table]?[name] ?? nil
    }

    /// Asks the store for records, all of them at once; the answers hold until the turn is committed.
    func askRecords(_ names: [[UInt8]], in table: Table) {
        let unknown = names.filter { self.askedRecords[table]?[$0] == nil }
        guard !unknown.isEmpty else { return }
        do throws(StorageError) {
            for (name, record) in zip(unknown, try self.store.tableRecords(of: unknown, in: table)) {
                self.askedRecords[table, default: [:]][name] = .some(record)
            }
        } catch {
            self.readFailure = self.readFailure ?? error
        }
    }

    /// Asks for what the features will want to know of these jobs.
    func askRecords(for jobs: some Sequence<Job>) {
        var wanted: [Table: [[UInt8]]] = [:]
        for job in jobs {
            guard let options = self.acceptedOptions(of: job) else { continue }
            for feature in Self.features {
                guard let (table, names) = feature.names(for: job, options) else { continue }
                wanted[table, default: []] += names
            }
        }
        for (table, names) in wanted { self.askRecords(names, in: table) }
    }

    /// Drops records of the features' tables whose end has come by then; how many there were.
    ///
    /// Handles at the most `bound` records of each table in this turn.
    func dropEndedRecords(at time: WallTime, bound: Int) throws(StorageError) -> Int {
        var count = 0
        for table in Table.allCases where table.hasEnds {
            let names = try self.store.endedNames(in: table, until: time, count: bound)
            for name in names { self.transaction.remove(name, from: table) }
            count = max(count, names.count)
        }
        return count
    }
}
