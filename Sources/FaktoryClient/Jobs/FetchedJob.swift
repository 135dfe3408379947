import JobCore

/// A job that a server has reserved for this worker.
public struct FetchedJob: Hashable, Sendable {
    /// The job's id, with which it is acknowledged or failed.
    public let id: String
    /// What is to be done.
    public let jobType: String
    /// The queue that it came from.
    public let queue: String
    /// How often the job has failed before; 0 the first time that it is tried.
    public let failureCount: Int
    /// How long the reservation lasts; zero stands for the server's default.
    public let reserveFor: Duration
    /// The job as the server sent it, byte for byte.
    public let payload: [UInt8]

    private let arguments: [[UInt8]]
    private let custom: [String: [UInt8]]

    /// Reads a job of the server's.
    ///
    /// - Throws: ``FaktoryError/Code/undecodableJob`` when it has no id, no type or no arguments.
    init(payload: [UInt8]) throws(FaktoryError) {
        guard let members = JSONCoding.pieces(of: payload) else {
            throw FaktoryError(.undecodableJob, "the server sent a job that is no JSON object")
        }
        func piece(_ name: String) -> [UInt8]? {
            members.last { JSONText.keysMatch($0.name, name) }?.json
        }
        func value(_ name: String) -> JSONValue? {
            piece(name).flatMap { try? JSONValue(parsing: $0, atMost: .max) }
        }
        guard let id = value("jid")?.string, let jobType = value("jobtype")?.string,
            let arguments = piece("args").flatMap(JSONCoding.pieces(of:))
        else { throw FaktoryError(.undecodableJob, "the server sent a job without jid, jobtype or args") }

        self.id = id
        self.jobType = jobType
        self.queue = value("queue")?.string ?? JobRequest.defaultQueue
        self.failureCount = value("failure")?.field("retry_count")?.integer.map { $0 + 1 } ?? 0
        self.reserveFor = .seconds(value("reserve_for")?.integer ?? 0)
        self.payload = payload
        self.arguments = arguments.map(\.json)
        let custom = piece("custom").flatMap(JSONCoding.pieces(of:)) ?? []
        self.custom = Dictionary(custom.map { ($0.name, $0.json) }, uniquingKeysWith: { _, last in last })
    }
}

extension FetchedJob {
    /// How many arguments the job has.
    public var argumentCount: Int {
        self.arguments.count
    }

    /// The arguments as they were pushed, each as JSON; no number has been altered.
    public var argumentsJSON: [String] {
        self.arguments.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads one argument.
    ///
    /// - Throws: ``FaktoryError/Code/undecodableJob`` when it is not there or is no such value.
    public func argument<Value: Decodable>(_ index: Int, as type: Value.Type = Value.self) throws(FaktoryError) -> Value
    {
        guard self.arguments.indices.contains(index) else {
            throw FaktoryError(.undecodableJob, "\(self.jobType) has no argument \(index), only \(self.argumentCount)")
        }
        return try JSONCoding.decode(type, from: self.arguments[index], of: "argument \(index) of \(self.jobType)")
    }

    /// Reads the first arguments, as many as there are types; more that follow are ignored.
    ///
    /// ```swift
    /// let (orderID, address) = try job.arguments(as: Int.self, String.self)
    /// ```
    ///
    /// - Throws: ``FaktoryError/Code/undecodableJob`` when one is not there or is no such value.
    public func arguments<each Value: Decodable>(
        as types: repeat (each Value).Type
    ) throws(FaktoryError) -> (repeat each Value) {
        var index = 0
        func next<Next: Decodable>(_ type: Next.Type) throws(FaktoryError) -> Next {
            defer { index += 1 }
            return try self.argument(index, as: type)
        }
        return (repeat try next(each types))
    }

    /// Reads a value that was sent beside the arguments; nil when there is none under this key.
    ///
    /// - Throws: ``FaktoryError/Code/undecodableJob`` when it is no such value.
    public func custom<Value: Decodable>(_ key: String, as type: Value.Type = Value.self) throws(FaktoryError) -> Value?
    {
        guard let bytes = self.custom[key] else { return nil }
        return try JSONCoding.decode(type, from: bytes, of: "\(key) of \(self.jobType)")
    }
}
