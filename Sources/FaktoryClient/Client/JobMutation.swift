import JobCore

/// A change to many jobs at once that are not in a queue.
public struct JobMutation: Hashable, Sendable {
    /// What is done with the jobs that match.
    public enum Operation: String, Hashable, Sendable {
        /// Deletes all jobs of the set, whatever the filter.
        case clear
        /// Deletes the jobs.
        case discard
        /// Moves the jobs to the dead ones.
        case kill
        /// Puts the jobs into their queues now.
        case requeue
    }

    /// The jobs that are looked at.
    public enum Target: String, Hashable, Sendable {
        /// Jobs that are due later.
        case scheduled
        /// Jobs that have failed and will be tried again.
        case retries
        /// Jobs that have failed too often.
        case dead
    }

    /// Which of them; one without conditions matches all.
    public struct Filter: Hashable, Sendable {
        /// Only jobs with these ids; the other conditions are then ignored.
        public var jobIDs: [String]
        /// Only jobs whose stored JSON matches this pattern with `*`, `?` and `[a-z]`.
        public var pattern: String?
        /// Only jobs of this type.
        public var jobType: String?

        /// Matches everything unless told otherwise.
        public init(jobIDs: [String] = [], pattern: String? = nil, jobType: String? = nil) {
            self.jobIDs = jobIDs
            self.pattern = pattern
            self.jobType = jobType
        }
    }

    /// What is done.
    public var operation: Operation
    /// To which set.
    public var target: Target
    /// To which jobs of it.
    public var filter: Filter

    /// Describes a change; nothing is done before ``FaktoryClient/mutate(_:)``.
    public init(_ operation: Operation, _ target: Target, where filter: Filter = Filter()) {
        self.operation = operation
        self.target = target
        self.filter = filter
    }

    /// The argument of MUTATE. Upstream takes it for two when there is a space in it, even inside of a string.
    var argument: [UInt8] {
        var filter: [JSONValue.Member] = []
        if !self.filter.jobIDs.isEmpty {
            filter.append(JSONValue.Member(key: "jids", value: .array(self.filter.jobIDs.map(JSONValue.string))))
        }
        if let pattern = self.filter.pattern {
            filter.append(JSONValue.Member(key: "regexp", value: .string(pattern)))
        }
        if let jobType = self.filter.jobType {
            filter.append(JSONValue.Member(key: "jobtype", value: .string(jobType)))
        }
        let document: JSONValue = [
            "cmd": .string(self.operation.rawValue), "target": .string(self.target.rawValue), "filter": .object(filter),
        ]
        return document.encoded.flatMap { $0 == UInt8(ascii: " ") ? Array("\\u0020".utf8) : [$0] }
    }
}
