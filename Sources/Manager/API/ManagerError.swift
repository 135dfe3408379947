public import JobCore

/// Why the manager did not do what it was asked to do; nothing was changed.
public enum ManagerError: Error, Equatable, Sendable {
    /// The job is not acceptable.
    case rejected(JobRejection)
    /// No reservation is held for this job.
    case jobNotFound(JobID)
    /// A FETCH named no queue.
    case noQueues
    /// The queue has as many jobs as the settings allow.
    case queueFull(QueueName, limit: Int)
    /// The store has as many bytes as the settings allow.
    case storeFull(limit: UInt64)

    /// The text that clients get behind `-ERR `.
    public var message: String {
        switch self {
        case .rejected(let rejection): rejection.message
        case .jobNotFound(let jobID): "Job not found \(EchoedText(jobID.text))"
        case .noQueues: "must call fetch with at least one queue"
        case .queueFull(let queue, let limit): "queue \(queue) is full: it may hold \(limit) jobs"
        case .storeFull(let limit): "the store is full: it may hold \(limit) bytes"
        }
    }
}
