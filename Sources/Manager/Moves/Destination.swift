import JobCore
import JobStorage

/// Where a job is moved to, with what the place has to know of it.
enum Destination {
    case scheduled(Job, due: WallTime)
    /// The tail of its queue.
    case tail(Job, of: JobQueue)
    /// The head of a queue, through the entry that it had; without the job, that is read when its turn comes.
    case head(QueueEntry, Job?, of: JobQueue)
    case reserved(Reservation)
    case retrying(Job, due: WallTime)
    /// Without the job, its record stays as it is.
    case dead(Job?, until: WallTime)
    case ended(Outcome)

    var place: Place {
        switch self {
        case .scheduled: .scheduled
        case .tail, .head: .enqueued
        case .reserved: .reserved
        case .retrying: .retrying
        case .dead: .dead
        case .ended(let outcome): .ended(outcome)
        }
    }
}
