/// Why a job failed, as the server keeps it and shows it to people.
///
/// A handler may throw one itself to decide what is shown; any other error is described as well as can be.
public struct JobFailure: Error, Hashable, Sendable {
    /// The kind of error; a server keeps the first 100 bytes.
    public var errorType: String
    /// What went wrong; a server keeps the first 1000 bytes.
    public var message: String
    /// Where it went wrong, innermost first; a server keeps 50 lines.
    public var backtrace: [String]

    /// Describes a failure; its backtrace is the line of the call unless one is given.
    public init(
        errorType: String,
        message: String,
        backtrace: [String]? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.errorType = errorType
        self.message = message
        self.backtrace = backtrace ?? ["\(fileID):\(line)"]
    }

    /// Describes an error: its type, what it says of itself, and the place that answers for it.
    ///
    /// Errors of Swift do not know where they were thrown, so the place is usually the handler's registration.
    init(_ error: any Error, at place: String) {
        if let failure = error as? JobFailure {
            self = failure
        } else {
            self.errorType = String(describing: type(of: error))
            self.message = String(describing: error)
            self.backtrace = [place]
        }
    }
}
