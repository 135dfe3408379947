/// What a job carries about its failures (`failure` in the payload).
public struct Failure: Equatable, Sendable {
    /// The time of the first failure, which later ones leave alone; nil when a client sent one that cannot be read.
    public var failedAt: WallTime?
    /// When the next try is due, or was when the last one failed; nil when there never was one.
    public var nextAt: WallTime?
    /// The message of the latest failure.
    public var message: String
    /// The type of the latest error (`errtype`).
    public var errorType: String
    /// The backtrace of the latest failure.
    public var backtrace: [String]
    /// How many failures there were before the latest.
    public var retryCount: Int
    /// How many tries are left.
    public var remaining: Int

    public init(
        failedAt: WallTime?,
        nextAt: WallTime? = nil,
        message: String = "",
        errorType: String = "",
        backtrace: [String] = [],
        retryCount: Int = 0,
        remaining: Int = 0
    ) {
        self.failedAt = failedAt
        self.nextAt = nextAt
        self.message = message
        self.errorType = errorType
        self.backtrace = backtrace
        self.retryCount = retryCount
        self.remaining = remaining
    }
}

extension Failure {
    /// Reads the object, whose members may be absent or null but must have the right types.
    init(_ document: JSONValue) throws(JobRejection) {
        self.init(
            failedAt: WallTime(rfc3339: try Self.text("failed_at", of: document)),
            nextAt: WallTime(rfc3339: try Self.text("next_at", of: document)),
            message: try Self.text("message", of: document),
            errorType: try Self.text("errtype", of: document),
            backtrace: try Self.lines("backtrace", of: document),
            retryCount: try Self.count("retry_count", of: document),
            remaining: try Self.count("remaining", of: document)
        )
    }

    private static func text(_ key: String, of document: JSONValue) throws(JobRejection) -> String {
        guard let value = document.field(key) else { return "" }
        guard let text = value.string else { throw Self.mismatch(value, key, "string") }
        return text
    }

    private static func lines(_ key: String, of document: JSONValue) throws(JobRejection) -> [String] {
        guard let value = document.field(key) else { return [] }
        guard let lines = value.strings else { throw Self.mismatch(value, key, "[]string") }
        return lines
    }

    private static func count(_ key: String, of document: JSONValue) throws(JobRejection) -> Int {
        guard let value = document.field(key) else { return 0 }
        guard let count = value.integer else { throw Self.mismatch(value, key, "int") }
        return count
    }

    private static func mismatch(_ value: JSONValue, _ key: String, _ type: String) -> JobRejection {
        .invalidJSON(
            "json: cannot unmarshal \(value.kind.name) into Go struct field Job.failure.\(key) of type \(type)"
        )
    }

    /// Appends the object in upstream's order of keys, without those that are empty.
    func append(to bytes: inout [UInt8]) {
        var members: [JSONValue.Member] = []
        if let failedAt = self.failedAt {
            members.append(.init(key: "failed_at", value: .string(failedAt.rfc3339)))
        }
        if let nextAt = self.nextAt { members.append(.init(key: "next_at", value: .string(nextAt.rfc3339))) }
        if !self.message.isEmpty { members.append(.init(key: "message", value: .string(self.message))) }
        if !self.errorType.isEmpty { members.append(.init(key: "errtype", value: .string(self.errorType))) }
        if !self.backtrace.isEmpty {
            members.append(.init(key: "backtrace", value: .array(self.backtrace.map { .string($0) })))
        }
        members.append(.init(key: "retry_count", value: .number(String(self.retryCount))))
        members.append(.init(key: "remaining", value: .number(String(self.remaining))))
        JSONValue.object(members).append(to: &bytes)
    }
}
