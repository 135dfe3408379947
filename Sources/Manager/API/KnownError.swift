/// An error that the client is told by its code, so that it can handle it.
///
/// `NOTUNIQUE` is the best known of them: a client that pushes a job which must be unique learns from it that the
/// job is there already. Any other error reaches clients under the code `ERR`, which they raise as an exception.
public struct KnownError: Error, Equatable, Sendable {
    /// What becomes of a job whose FETCH was halted; a halted job is never lost.
    public enum HaltedJob: Equatable, Sendable {
        /// The job goes to the dead jobs, with the error as its failure.
        case bury
        /// The job goes back to the head of its queue, where the next FETCH finds it again.
        case putBack
    }

    /// The code of `discard`; it never reaches a client.
    public static let discardCode = "DISCARD"

    /// The word behind the dash of the reply, in capitals.
    public let code: String
    /// The rest of the reply's line.
    public let message: String
    /// Used where a FETCH is halted.
    public let haltedJob: HaltedJob

    private init(code: String, message: String, haltedJob: HaltedJob) {
        self.code = code
        self.message = message
        self.haltedJob = haltedJob
    }

    /// Stops the chain; the client gets the code and the message (`Halt` of the Manager API).
    ///
    /// Use `ERR` for the code to signal an unexpected error, or a well-defined code for a case in
    /// which the client may be interested.
    public static func halt(code: String, message: String, job: HaltedJob = .bury) -> KnownError {
        KnownError(code: code, message: message, haltedJob: job)
    }

    /// An error with a code, for what is not the doing of a chain (`ExpectedError` of the Manager API).
    public static func expected(code: String, message: String) -> KnownError {
        KnownError(code: code, message: message, haltedJob: .bury)
    }

    /// Drops the job on purpose (`Discard` of the Manager API).
    ///
    /// At FETCH the worker gets the next job instead; at PUSH the client gets `+OK` and nothing is
    /// stored; at FAIL the job is not tried again.
    public static func discard(_ message: String) -> KnownError {
        KnownError(code: Self.discardCode, message: message, haltedJob: .bury)
    }

    /// Whether the job is to be dropped.
    public var isDiscard: Bool { self.code == Self.discardCode }
}

extension Error {
    /// The line that a client gets behind the dash.
    package var replyText: String {
        switch self {
        case let known as KnownError: "\(known.code) \(known.message)"
        case let failure as ManagerError: "ERR \(failure.message)"
        default: "ERR \(self)"
        }
    }
}
