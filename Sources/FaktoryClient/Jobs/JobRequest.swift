public import Foundation
import JobCore

/// A job to be pushed: what is to be done, with what, when, and how often it may be tried.
public struct JobRequest: Hashable, Sendable {
    /// The queue of jobs that name none.
    public static let defaultQueue = "default"
    /// The longest time for which a server reserves a job.
    public static let maximumReservation: Duration = .seconds(86_400)

    /// Tells the job from all others; 24 random hexadecimal digits unless set. At least 8 bytes.
    public var id: String
    /// The name under which workers know how to do it.
    public let jobType: String
    /// The queue that it goes into.
    public var queue: String
    /// How often it is tried again when it fails; nil for the server's default of 25.
    ///
    /// With 0 the job is dropped when it fails, with -1 it is kept among the dead at once.
    public var retry: Int?
    /// How long a worker may take before the job counts as failed; nil for the server's default of 30 minutes.
    public var reserveFor: Duration?
    /// When the job is due; nil for now.
    public var at: Date?

    /// The arguments, an array in JSON, in one line.
    private let arguments: [UInt8]
    /// Values beside the arguments, each in JSON.
    private var custom: [String: [UInt8]] = [:]

    /// Describes a job with these arguments.
    ///
    /// - Throws: ``FaktoryError/Code/invalidJob`` when an argument cannot be written as JSON.
    public init<each Argument: Encodable>(
        _ jobType: String,
        arguments: repeat each Argument
    ) throws(FaktoryError) {
        var list: [[UInt8]] = []
        for argument in repeat each arguments {
            list.append(try JSONCoding.encode(argument))
        }
        self.init(jobType: jobType, arguments: Array("[".utf8) + list.joined(separator: ",".utf8) + Array("]".utf8))
    }

    /// Describes a job whose arguments are JSON already.
    ///
    /// - Parameter json: an array. It is sent as it is, but for line breaks between its tokens.
    /// - Throws: ``FaktoryError/Code/invalidJob`` when it is no array.
    public init(_ jobType: String, argumentsJSON json: String) throws(FaktoryError) {
        // Inside of strings, JSON has no line breaks of its own, and outside a space is as good.
        let line = json.utf8.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
        guard JSONCoding.pieces(of: Array(json.utf8)) != nil,
            line.first(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) == UInt8(ascii: "[")
        else { throw FaktoryError(.invalidJob, "the arguments of \(jobType) are no array in JSON") }
        self.init(jobType: jobType, arguments: line)
    }

    /// Describes a typed job, for the queue of its type.
    ///
    /// - Throws: ``FaktoryError/Code/invalidJob`` when it cannot be written as JSON.
    public init<Job: FaktoryJob>(_ job: Job) throws(FaktoryError) {
        let argument = try JSONCoding.encode(job)
        self.init(jobType: Job.jobType, arguments: Array("[".utf8) + argument + Array("]".utf8))
        self.queue = Job.queue
    }

    private init(jobType: String, arguments: [UInt8]) {
        var generator = SystemRandomNumberGenerator()
        self.id = RandomText.hexadecimal(byteCount: 12, using: &generator)
        self.jobType = jobType
        self.queue = Self.defaultQueue
        self.arguments = arguments
    }

    /// Adds a value beside the arguments, for middleware; keys that start with `_` are the server's.
    ///
    /// - Throws: ``FaktoryError/Code/invalidJob`` when it cannot be written as JSON.
    public mutating func setCustom(_ key: String, to value: some Encodable) throws(FaktoryError) {
        self.custom[key] = try JSONCoding.encode(value)
    }

    /// The job as it goes over the wire, in one line.
    var payload: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ key: StaticString, _ append: (inout [UInt8]) -> Void) {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            bytes.append(contentsOf: "\"\(key)\":".utf8)
            append(&bytes)
        }
        add("jid") { JSONText.appendQuoted(self.id, to: &$0) }
        add("jobtype") { JSONText.appendQuoted(self.jobType, to: &$0) }
        add("args") { $0.append(contentsOf: self.arguments) }
        add("queue") { JSONText.appendQuoted(self.queue, to: &$0) }
        if let retry = self.retry {
            add("retry") { $0.append(contentsOf: String(retry).utf8) }
        }
        if let reserveFor = self.reserveFor {
            add("reserve_for") { $0.append(contentsOf: String(reserveFor.wholeSeconds).utf8) }
        }
        if let at = self.at {
            let text = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(at)
            add("at") { JSONText.appendQuoted(text, to: &$0) }
        }
        if !self.custom.isEmpty {
            add("custom") { self.appendCustom(to: &$0) }
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private func appendCustom(to bytes: inout [UInt8]) {
        var separator = UInt8(ascii: "{")
        for (key, value) in self.custom.sorted(by: { $0.key < $1.key }) {
            bytes.append(separator)
            JSONText.appendQuoted(key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: value)
            separator = UInt8(ascii: ",")
        }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension Duration {
    /// The seconds, a begun one counted as whole.
    fileprivate var wholeSeconds: Int64 {
        let (seconds, attoseconds) = self.components
        return attoseconds > 0 ? seconds + 1 : seconds
    }
}
