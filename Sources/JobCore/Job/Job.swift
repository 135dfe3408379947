/// A job: the payload that a client pushed, and what the server reads in it.
///
/// The payload stays the client's own bytes: numbers keep their digits, strings their escapes, unknown members their
/// place. Only what all clients rely on is put right when it is parsed: known keys are spelt in their usual case and
/// come once, `retry` and `queue` are always there, and no line break stands between two tokens.
///
/// After each change of the job the payload says the same as the properties.
public struct Job: Sendable {
    /// The longest payload in bytes.
    public static let maximumByteCount = 64 * 1024 * 1024
    /// The shortest `jid` in bytes.
    public static let minimumIDByteCount = 8
    /// The longest `jid` in bytes.
    public static let maximumIDByteCount = 255
    /// The retries of a job that does not say how many it wants.
    public static let defaultRetry = 25
    /// The longest reservation that may be asked for in seconds: one day.
    public static let maximumReserveFor = 86_400
    /// What is reserved beyond the payload, so that the server's time stamps need no second allocation.
    private static let spareByteCount = 160

    /// The JSON object as it is stored and handed to workers.
    public internal(set) var payload: [UInt8]
    var layout: JobLayout

    public let id: JobID
    /// What a worker looks up to run the job (`jobtype`).
    public let type: String
    public let queue: QueueName
    /// How often the job is tried again after its first failure; negative: never, but it is kept among the dead.
    public let retry: Int
    /// The seconds that the client asked the job to be reserved for, as they were sent; 0 when it did not ask.
    public let reserveFor: Int
    /// How many lines of a backtrace the client would like its workers to send; a hint that the server does not use.
    public let backtraceLines: Int
    /// When the job is due, if the client said so.
    public let at: WallTime?

    /// Checks a payload, in the order of checks that clients know, and keeps it.
    public init(parsing bytes: [UInt8]) throws(JobRejection) {
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(JobRejection) in try Job(copying: bytes) }
    }

    /// Checks a payload, in the order of checks that clients know, and keeps a copy of it.
    package init(copying bytes: UnsafeBufferPointer<UInt8>) throws(JobRejection) {
        guard bytes.count <= Self.maximumByteCount else { throw .tooLarge(byteCount: bytes.count) }
        let scan: JobScan
        do throws(JSONError) {
            var scanner = JSONScanner(bytes)
            scanner.skipWhitespace()
            scan = try JobScan(from: &scanner, insideDepth: 0)
            try scanner.finish()
        } catch {
            throw .invalidJSON(error.message)
        }
        try self.init(scan, of: bytes)
    }

    /// Takes the job that a scan found in a buffer.
    init(_ scan: JobScan, of buffer: UnsafeBufferPointer<UInt8>) throws(JobRejection) {
        guard scan.kind == .object else {
            guard scan.kind == .null else {
                throw .invalidJSON("json: cannot unmarshal \(scan.kind.name) into Go value of type client.Job")
            }
            throw .unreasonableID
        }
        if let (field, found) = scan.mismatch { throw JobReader.mismatch(of: found.name, in: field) }
        let bytes = UnsafeBufferPointer(rebasing: buffer[scan.range])
        guard !scan.needsRewriting else {
            self = try Job(rewriting: bytes)
            return
        }

        let reader = JobReader(bytes: bytes, layout: scan.layout)
        let retry = try reader.integer(.retry, in: Int(Int32.min)...Int(Int32.max))
        self.retry = retry ?? Self.defaultRetry
        self.reserveFor = try reader.integer(.reserveFor, in: .min ... .max) ?? 0
        self.backtraceLines = try reader.integer(.backtrace, in: .min ... .max) ?? 0
        _ = try reader.failure()

        self.id = try Self.id(from: reader)
        guard let type = reader.text(.type) else { throw .missingType }
        self.type = type
        guard reader.value(.arguments) != nil else { throw .missingArguments }
        guard self.reserveFor <= Self.maximumReserveFor else { throw .overlongReservation }
        self.at = try Self.dueTime(from: reader)
        let queue = reader.text(.queue)
        self.queue = if let queue { try QueueName(parsing: queue) } else { .default }

        self.layout = scan.layout
        self.payload = []
        self.payload.reserveCapacity(bytes.count + Self.spareByteCount)
        self.payload.append(contentsOf: bytes)
        if scan.hasLineBreaks { self.replaceLineBreaks() }
        if retry == nil { self.put(.retry) { $0.append(contentsOf: "25".utf8) } }
        if queue == nil { self.put(.queue) { $0.append(contentsOf: "\"default\"".utf8) } }
    }

    private init(rewriting bytes: UnsafeBufferPointer<UInt8>) throws(JobRejection) {
        let rewritten: [UInt8]
        do throws(JSONError) {
            rewritten = try JobScan.rewrite(bytes)
        } catch {
            throw .invalidJSON(error.message)
        }
        try self.init(parsing: rewritten)
    }

    private static func id(from reader: JobReader) throws(JobRejection) -> JobID {
        guard let text = reader.text(.id), text.utf8.count >= Self.minimumIDByteCount else { throw .unreasonableID }
        guard text.utf8.count <= Self.maximumIDByteCount else { throw .overlongID(byteCount: text.utf8.count) }
        return JobID(text)
    }

    private static func dueTime(from reader: JobReader) throws(JobRejection) -> WallTime? {
        if let time = reader.time(.at) { return time }
        guard let text = reader.text(.at) else { return nil }
        throw .invalidTimestamp(text)
    }
}

extension Job {
    /// How long a worker may keep the job: what was asked for, 30 minutes if nothing was, at least a minute.
    public var reservationLength: Duration {
        Self.reservationLength(forReserveFor: self.reserveFor)
    }

    package static func reservationLength(forReserveFor seconds: Int) -> Duration {
        seconds == 0 ? RetryPolicy.defaultReservation : .seconds(min(max(seconds, 60), Self.maximumReserveFor))
    }

    /// When the job was made; nil when the payload does not say it in a form that can be read.
    public var createdAt: WallTime? {
        self.read { $0.time(.createdAt) }
    }

    /// When the job last entered its queue; nil when it never did, or the time cannot be read.
    public var enqueuedAt: WallTime? {
        self.read { $0.time(.enqueuedAt) }
    }

    /// What is known of the job's failures; nil when it has not failed.
    public var failure: Failure? {
        self.read { try? $0.failure() }
    }

    /// The JSON array of the arguments, as the client wrote it.
    public var arguments: ArraySlice<UInt8> {
        self.layout[.arguments].map { self.payload[$0] } ?? []
    }

    /// The JSON object of the custom values, as the client wrote it; nil when there is none.
    public var custom: ArraySlice<UInt8>? {
        guard let range = self.layout[.custom], !self.isNull(range) else { return nil }
        return self.payload[range]
    }

    /// Whether there is an object of custom values.
    package var hasCustom: Bool { self.layout[.custom].map { !self.isNull($0) } ?? false }

    /// The JSON of one custom value; nil when there is none under exactly this key.
    public func customValue(_ key: String) -> ArraySlice<UInt8>? {
        self.placeOfCustomValue(key)?.value.map { self.payload[$0] }
    }

    func read<Value>(_ body: (JobReader) -> Value) -> Value {
        self.payload.withUnsafeBufferPointer { body(JobReader(bytes: $0, layout: self.layout)) }
    }

    func isNull(_ range: Range<Int>) -> Bool {
        self.payload[range.lowerBound] == UInt8(ascii: "n")
    }
}
