/// What went wrong between this process and a Faktory server.
///
/// Switch over ``code`` to decide what to do, and show ``message`` to people. New codes may be added in any release.
public struct FaktoryError: Error, Hashable, Sendable {
    /// A kind of error, told apart by what the caller can do about it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidConfiguration, invalidJob, invalidName
            case connectionFailed, connectionLost, timedOut, authenticationFailed, protocolViolation
            case refused, poolExhausted, closed, undecodableJob
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        public var description: String {
            self.kind.rawValue
        }

        /// A URL, an environment variable or a TLS file cannot be used as it stands.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// The arguments or custom values of a job cannot be written as JSON.
        public static let invalidJob = Code(.invalidJob)
        /// A queue's name has characters that the protocol does not allow.
        public static let invalidName = Code(.invalidName)
        /// No connection could be made; the command was not sent, so it is safe to try again.
        public static let connectionFailed = Code(.connectionFailed)
        /// The connection broke while an answer was awaited; the command may or may not have taken effect.
        public static let connectionLost = Code(.connectionLost)
        /// No answer came in time; the command may or may not have taken effect.
        public static let timedOut = Code(.timedOut)
        /// The server does not accept the password, or wants one and there is none. Trying again does not help.
        public static let authenticationFailed = Code(.authenticationFailed)
        /// The server answered with something that the protocol does not allow there.
        public static let protocolViolation = Code(.protocolViolation)
        /// The server said no; ``FaktoryError/serverCode`` and ``FaktoryError/message`` are its words.
        public static let refused = Code(.refused)
        /// All connections are in use and as many callers as are allowed wait for one already.
        public static let poolExhausted = Code(.poolExhausted)
        /// The client has been closed.
        public static let closed = Code(.closed)
        /// A job that was fetched, or its arguments, cannot be read as what was asked for.
        public static let undecodableJob = Code(.undecodableJob)
    }

    /// What kind of error this is.
    public let code: Code
    /// One line for people.
    public let message: String
    /// The first word of the server's refusal, such as `ERR` or `NOTUNIQUE`; nil unless ``code`` is ``Code/refused``.
    public let serverCode: String?

    init(_ code: Code, _ message: String, serverCode: String? = nil) {
        self.code = code
        self.message = message
        self.serverCode = serverCode
    }
}

extension FaktoryError: CustomStringConvertible {
    public var description: String {
        "\(self.code): \(self.serverCode.map { "\($0) " } ?? "")\(self.message)"
    }
}
