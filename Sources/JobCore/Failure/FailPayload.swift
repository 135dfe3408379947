/// A worker's report that a job failed (the argument of FAIL), cleaned of what is too long.
public struct FailPayload: Equatable, Sendable {
    /// The longest error type in bytes.
    public static let maximumErrorTypeByteCount = 100
    /// The longest message in bytes.
    public static let maximumMessageByteCount = 1000
    /// The most lines of a backtrace.
    public static let maximumBacktraceLineCount = 50

    public let jobID: JobID
    public let errorType: String
    public let message: String
    public let backtrace: [String]

    /// Trims the error type and the message, calls them `unknown` when nothing is left, and cuts all three to size.
    ///
    /// Texts are cut between two characters.
    public init(jobID: JobID, errorType: String, message: String, backtrace: [String] = []) {
        self.jobID = jobID
        self.errorType = Self.clean(errorType, byteCount: Self.maximumErrorTypeByteCount)
        self.message = Self.clean(message, byteCount: Self.maximumMessageByteCount)
        self.backtrace = Array(backtrace.prefix(Self.maximumBacktraceLineCount))
    }

    /// Reads the argument of FAIL.
    public init(parsing bytes: ArraySlice<UInt8>) throws(JobRejection) {
        guard let document = try? JSONValue(parsing: bytes), let report = Self.read(document) else {
            let start = bytes.prefix(EchoedText.maximumByteCount + 4)
            throw .invalidFailure(argument: String(decoding: start, as: UTF8.self))
        }
        guard !report.jobID.text.isEmpty else { throw .missingID }
        self = report
    }

    /// Nil when a member has a value of the wrong type; null counts as absent.
    private static func read(_ document: JSONValue) -> FailPayload? {
        guard document.kind == .object || document == .null,
            let id = Self.text("jid", of: document),
            let errorType = Self.text("errtype", of: document),
            let message = Self.text("message", of: document),
            let backtrace = Self.lines("backtrace", of: document)
        else { return nil }
        return FailPayload(jobID: JobID(id), errorType: errorType, message: message, backtrace: backtrace)
    }

    private static func text(_ key: String, of document: JSONValue) -> String? {
        guard let value = document.field(key) else { return "" }
        return value.string
    }

    private static func lines(_ key: String, of document: JSONValue) -> [String]? {
        guard let value = document.field(key) else { return [] }
        return value.strings
    }

    private static func clean(_ text: String, byteCount: Int) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "unknown" }
        return String(text[first..<scalars.index(after: last)]).cut(toByteCount: byteCount)
    }

    /// The report of a worker that kept a job longer than it was reserved for.
    public static func reservationExpired(for jobID: JobID) -> FailPayload {
        FailPayload(
            jobID: jobID,
            errorType: "ReservationExpired",
            message: "Faktory job reservation expired"
        )
    }

    /// The report of a job with which worker processes vanished as often as is allowed.
    package static func poisonJob(_ jobID: JobID, crashes: Int, within memory: Duration) -> FailPayload {
        FailPayload(
            jobID: jobID,
            errorType: "PoisonJob",
            message: "its worker vanished \(crashes) times within \(memory.components.seconds / 3_600) hours"
        )
    }

    /// Whether a worker that is being stopped reports a job that it could not finish, as the one for Ruby does.
    package var isShutdown: Bool { self.errorType == "Faktory::Shutdown" }
}
