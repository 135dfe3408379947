/// What a worker process is doing; it only ever moves forward.
public enum WorkerPhase: Int, Comparable, CaseIterable, Sendable {
    /// Fetches jobs and does them.
    case running
    /// Does the jobs that it has and fetches no more.
    case quiet
    /// Does the jobs that it has within the time that is left, and ends.
    case terminating

    /// Reads the word with which a server asks for a phase; nil for any other.
    init?(signal: String) {
        switch signal {
        case "quiet": self = .quiet
        case "terminate": self = .terminating
        default: return nil
        }
    }

    /// The word for the phase in a heartbeat.
    var signal: String {
        switch self {
        case .running: ""
        case .quiet: "quiet"
        case .terminating: "terminate"
        }
    }

    public static func < (left: WorkerPhase, right: WorkerPhase) -> Bool {
        left.rawValue < right.rawValue
    }
}
