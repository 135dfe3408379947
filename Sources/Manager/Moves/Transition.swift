package import JobCore
import JobStorage

/// Where a job is.
package enum Place: Hashable, Sendable {
    /// A client has pushed it, and the server has not had it before.
    case new
    /// Its time is yet to come.
    case scheduled
    case enqueued
    /// A worker has it.
    case reserved
    /// It has failed, and waits for its next try.
    case retrying
    /// It is not tried again unless somebody says so.
    case dead
    /// Nothing is left of it.
    case ended(Outcome)

    /// The place that a set of the store holds.
    init(_ set: JobSet) {
        switch set {
        case .scheduled: self = .scheduled
        case .retries: self = .retrying
        case .dead: self = .dead
        }
    }

    /// The set of the store that holds the jobs of this place; nil for a place that is no set.
    var set: JobSet? {
        switch self {
        case .scheduled: .scheduled
        case .retrying: .retries
        case .dead: .dead
        case .new, .enqueued, .reserved, .ended: nil
        }
    }
}

/// How a job has ended.
package enum Outcome: Hashable, Sendable, CaseIterable {
    /// Its worker has acknowledged it.
    case succeeded
    /// It has failed, and wanted no further try and no place among the dead.
    case failed
    /// A link of a chain has dropped it.
    case discarded
    /// Its time was over before a worker took it.
    case expired
    /// Somebody has deleted it, or its time among the dead was over.
    case deleted
    /// The store has nothing that could be worked on.
    case lost

    /// Whether a PUSH of the job that comes again is an echo, and not to be carried out.
    ///
    /// What was deleted or lost may be pushed anew.
    var isRemembered: Bool {
        switch self {
        case .succeeded, .failed, .discarded, .expired: true
        case .deleted, .lost: false
        }
    }
}

/// Why a job has changed its place.
package enum MoveCause: Hashable, Sendable, CaseIterable {
    /// A client has pushed it.
    case pushed
    /// Its time has come.
    case due
    /// A FETCH has taken it.
    case fetched
    /// A FETCH has found it, and a feature or a link of the fetch chain did not let it go.
    case withheld
    /// Its worker has acknowledged it.
    case acknowledged
    /// Its worker has failed, or has taken too long.
    case failed
    /// Too many workers have vanished with it.
    case poisonous
    /// Its worker did not get it, is gone, or gave it back.
    case returned
    /// An operator, or a client with MUTATE or QUEUE REMOVE, wanted it so.
    case ordered
    /// Its time among the dead was over.
    case purged
    /// Its record cannot be read.
    case damaged

    /// Whether the move ends an execution that counts.
    var endsExecution: Bool { self == .acknowledged || self.isFailure }

    /// Whether the move ends an execution that counts as failed.
    var isFailure: Bool { self == .failed || self == .poisonous }
}

/// A job's change of place: all that counters, figures and features are told of it.
///
/// Its effects are in the transaction of the turn in which it happens.
package struct Transition: Hashable, Sendable {
    package let jobID: JobID
    package let from: Place
    package let to: Place
    package let cause: MoveCause
}
