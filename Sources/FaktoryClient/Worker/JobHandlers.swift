/// Which code does which type of job.
public struct JobHandlers: Sendable {
    /// Does one job; it is acknowledged when this returns, and failed when this throws.
    public typealias Handler = @Sendable (JobContext) async throws -> Void

    struct Entry: Sendable {
        let handler: Handler
        /// Where it was registered, for the backtraces of failures.
        let place: String
    }

    private var entries: [String: Entry] = [:]

    /// Knows no type of job yet.
    public init() {}

    /// Lets `handler` do the jobs of a type; a later registration for the same type takes its place.
    public mutating func register(
        _ jobType: String,
        fileID: String = #fileID,
        line: Int = #line,
        handler: @escaping Handler
    ) {
        self.entries[jobType] = Entry(handler: handler, place: "\(fileID):\(line) (handler of \(jobType))")
    }

    /// Lets `handler` do the jobs of a Swift type.
    ///
    /// A job whose first argument is no such value fails without reaching the handler.
    public mutating func register<Job: FaktoryJob>(
        _ type: Job.Type,
        fileID: String = #fileID,
        line: Int = #line,
        handler: @escaping @Sendable (Job, JobContext) async throws -> Void
    ) {
        self.register(Job.jobType, fileID: fileID, line: line) { context in
            try await handler(try context.job.argument(0, as: Job.self), context)
        }
    }

    /// The code for a type of job; nil when none was registered.
    subscript(jobType: String) -> Entry? {
        self.entries[jobType]
    }
}
