import JobCore

/// The first byte of a command.
private enum Operation: UInt8 {
    case push = 1
    case pushBulk = 2
    case fetch = 3
    case withdraw = 4
    case acknowledge = 5
    case fail = 6
    case beat = 7
    case info = 8
    case flush = 9
    case queue = 10
    case latency = 11
    case mutate = 12
    case workerJoined = 13
    case workerLeft = 14
}

extension LinkCommand {
    /// The fewest bytes that a command takes: its operation and its number.
    static let smallestByteCount = 9

    /// Whether the leader remembers the answer to a deferred command of this operation until it is withdrawn.
    ///
    /// - Parameter operation: the first byte of the encoded command.
    package static func isRemembered(operation: UInt8) -> Bool {
        switch Operation(rawValue: operation) {
        case .pushBulk, .flush, .queue, .mutate: true
        default: false
        }
    }

    package func encode(into writer: inout LinkWriter) {
        switch self.body {
        case .push(let job):
            writer.begin(.push, self.request)
            writer.write(job)
        case .pushBulk(let jobs):
            writer.begin(.pushBulk, self.request)
            writer.write(jobs)
        case .fetch(let worker, let queues, let wait):
            writer.begin(.fetch, self.request)
            writer.write(worker)
            writer.write(queues)
            writer.write(wait)
        case .withdraw:
            writer.begin(.withdraw, self.request)
        case .acknowledge(let jobID):
            writer.begin(.acknowledge, self.request)
            writer.write(jobID)
        case .fail(let jobID, let errorType, let message, let backtrace):
            writer.begin(.fail, self.request)
            writer.write(jobID)
            writer.write(errorType)
            writer.write(message)
            writer.write(backtrace)
        case .beat(let worker, let state, let residentKilobytes):
            writer.begin(.beat, self.request)
            writer.write(worker)
            writer.write(state)
            writer.write(residentKilobytes)
        case .info:
            writer.begin(.info, self.request)
        case .flush:
            writer.begin(.flush, self.request)
        case .queue(let action, let names):
            writer.begin(.queue, self.request)
            writer.write(action.rawValue)
            switch names {
            case .all:
                writer.write(UInt8(1))
            case .named(let names):
                writer.write(UInt8(0))
                writer.write(names)
            }
        case .latency(let queues):
            writer.begin(.latency, self.request)
            writer.write(queues)
        case .mutate(let mutation):
            writer.begin(.mutate, self.request)
            mutation.encode(into: &writer)
        case .workerJoined(let introduction):
            writer.begin(.workerJoined, self.request)
            writer.write(introduction.worker)
            writer.write(introduction.hostname)
            writer.write(UInt64(bitPattern: introduction.processID))
            writer.write(introduction.labels)
            writer.write(introduction.residentKilobytes)
        case .workerLeft(let worker):
            writer.begin(.workerLeft, self.request)
            writer.write(worker)
        }
    }

    package init(from reader: inout LinkReader) throws(LinkFormatError) {
        let code = try reader.readUInt8()
        guard let operation = Operation(rawValue: code) else { throw .unknown(field: "operation", value: code) }
        self.request = try reader.readUInt64()
        switch operation {
        case .push:
            self.body = .push(job: try reader.readBytes())
        case .pushBulk:
            self.body = .pushBulk(jobs: try reader.readBytes())
        case .fetch:
            self.body = .fetch(
                worker: try reader.readString(),
                queues: try reader.readStrings(atMost: LinkBound.queueCount),
                waitMilliseconds: try reader.readUInt32()
            )
        case .withdraw:
            self.body = .withdraw
        case .acknowledge:
            self.body = .acknowledge(jobID: try reader.readString())
        case .fail:
            self.body = .fail(
                jobID: try reader.readString(),
                errorType: try reader.readString(),
                message: try reader.readString(),
                backtrace: try reader.readStrings(atMost: LinkBound.backtraceLineCount)
            )
        case .beat:
            self.body = .beat(
                worker: try reader.readString(),
                state: try reader.readString(),
                residentKilobytes: try reader.readUInt64()
            )
        case .info:
            self.body = .info
        case .flush:
            self.body = .flush
        case .queue:
            self.body = try Self.readQueueCommand(from: &reader)
        case .latency:
            self.body = .latency(queues: try reader.readStrings(atMost: LinkBound.queueCount))
        case .mutate:
            self.body = .mutate(try MutationRequest(from: &reader))
        case .workerJoined:
            self.body = .workerJoined(
                WorkerIntroduction(
                    worker: try reader.readString(),
                    hostname: try reader.readString(),
                    processID: Int64(bitPattern: try reader.readUInt64()),
                    labels: try reader.readStrings(atMost: LinkBound.labelCount),
                    residentKilobytes: try reader.readUInt64()
                )
            )
        case .workerLeft:
            self.body = .workerLeft(worker: try reader.readString())
        }
    }

    private static func readQueueCommand(from reader: inout LinkReader) throws(LinkFormatError) -> Body {
        let code = try reader.readUInt8()
        guard let action = QueueAction(rawValue: code) else { throw .unknown(field: "queue action", value: code) }
        let meansAll = try reader.readUInt8()
        guard meansAll == 0 else { return .queue(action, names: .all) }
        return .queue(action, names: .named(try reader.readStrings(atMost: LinkBound.queueCount)))
    }
}

extension LinkWriter {
    fileprivate mutating func begin(_ operation: Operation, _ request: UInt64) {
        self.write(operation.rawValue)
        self.write(request)
    }

    fileprivate mutating func write(optional text: String?) {
        self.write(UInt8(text == nil ? 0 : 1))
        if let text { self.write(text) }
    }
}

extension LinkReader {
    fileprivate mutating func readOptionalString() throws(LinkFormatError) -> String? {
        try self.readUInt8() == 0 ? nil : try self.readString()
    }
}

extension MutationRequest {
    fileprivate func encode(into writer: inout LinkWriter) {
        writer.write(self.operation)
        writer.write(self.target)
        writer.write(UInt8(self.filter == nil ? 0 : 1))
        guard let filter = self.filter else { return }
        writer.write(UInt32(filter.jobIDs.count))
        writer.writeEncoded(filter.jobIDs.bytes)
        writer.write(optional: filter.pattern)
        writer.write(optional: filter.jobType)
    }

    fileprivate init(from reader: inout LinkReader) throws(LinkFormatError) {
        self.operation = try reader.readString()
        self.target = try reader.readString()
        guard try reader.readUInt8() != 0 else {
            self.filter = nil
            return
        }
        self.filter = Filter(
            jobIDs: try reader.readJobIDs(atMost: LinkBound.filteredJobCount),
            pattern: try reader.readOptionalString(),
            jobType: try reader.readOptionalString()
        )
    }
}
