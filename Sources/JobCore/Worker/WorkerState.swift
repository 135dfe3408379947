/// What a worker process was told to do; it only ever moves forward.
///
/// running → quiet → terminate; running → terminate is allowed.
public enum WorkerState: UInt8, Comparable, Sendable, CaseIterable {
    /// Fetches and works.
    case running = 0
    /// Finishes what it has and fetches no more.
    case quiet = 1
    /// Finishes within its own time limit and exits.
    case terminate = 2

    /// The word that BEAT carries, or nil for any other text, which means no change.
    public init?(signal: String) {
        switch signal {
        case "quiet": self = .quiet
        case "terminate": self = .terminate
        default: return nil
        }
    }

    /// The word that BEAT answers with.
    public var text: String {
        switch self {
        case .running: "running"
        case .quiet: "quiet"
        case .terminate: "terminate"
        }
    }

    public static func < (left: WorkerState, right: WorkerState) -> Bool {
        left.rawValue < right.rawValue
    }
}
