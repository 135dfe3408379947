/// Why a job is not taken.
public enum JobRejection: Error, Equatable, Sendable {
    /// The text is no JSON, or a known field has a value of the wrong type.
    case invalidJSON(String)
    /// The payload is longer than ``Job/maximumByteCount``.
    case tooLarge(byteCount: Int)
    /// There is no `jid`, or it has fewer than 8 bytes.
    case unreasonableID
    /// The `jid` has more than 255 bytes.
    case overlongID(byteCount: Int)
    /// There is no `jobtype`, or it is empty.
    case missingType
    /// There are no `args`, or they are null.
    case missingArguments
    /// `reserve_for` is more than a day.
    case overlongReservation
    /// `at` is no time stamp.
    case invalidTimestamp(String)
    /// The queue's name has characters that are not allowed, or none at all.
    case illegalQueueName(String)
    /// The queue's name has more than 255 bytes.
    case overlongQueueName(byteCount: Int)
    /// A bulk push has more jobs than ``JobArray`` takes.
    case tooManyJobs(limit: Int)
    /// A failure report has no `jid`.
    case missingID
    /// A failure report that cannot be read.
    case invalidFailure(argument: String)

    /// The text that clients get after `-ERR `: one line without control characters, of bounded length.
    public var message: String {
        switch self {
        case .invalidJSON(let reason):
            "invalid JSON: \(EchoedText(reason))"
        case .tooLarge(let byteCount):
            "jobs cannot be larger than \(Job.maximumByteCount) bytes: \(byteCount)"
        case .unreasonableID:
            "jobs must have a reasonable jid parameter"
        case .overlongID(let byteCount):
            "jobs cannot have a jid longer than \(Job.maximumIDByteCount) bytes: \(byteCount)"
        case .missingType:
            "jobs must have a jobtype parameter"
        case .missingArguments:
            "jobs must have an args parameter"
        case .overlongReservation:
            "jobs cannot be reserved for more than one day"
        case .invalidTimestamp(let value):
            "invalid timestamp for 'at': \"\(EchoedText(value))\": not a timestamp of RFC 3339"
        case .illegalQueueName(let name):
            "cannot get \"\(EchoedText(name))\" queue: queue names must match \\A[a-zA-Z0-9._-]+\\z"
        case .overlongQueueName(let byteCount):
            "queue names cannot be longer than \(QueueName.maximumByteCount) bytes: \(byteCount)"
        case .tooManyJobs(let limit):
            "cannot push more than \(limit) jobs at once"
        case .missingID:
            "missing JID"
        case .invalidFailure(let argument):
            "invalid FAIL \(EchoedText(argument))"
        }
    }
}
