package import JobCore

private enum Kind: UInt8 {
    case attach = 1
    case batch = 2
    case heartbeat = 3
    case detach = 4
    case tick = 5
}

extension MessageToLeader {
    package func encoded() -> [UInt8] {
        var writer = LinkWriter()
        writer.write(self.version)
        switch self {
        case .attach(let introduction):
            writer.write(Kind.attach.rawValue)
            writer.write(introduction.session)
            writer.write(introduction.name)
            writer.write(introduction.software)
            writer.write(UInt8(introduction.isNew ? 1 : 0))
        case .batch(let batch):
            CommandBatch.encodeHeader(
                lane: batch.lane,
                number: batch.number,
                settled: batch.settled,
                into: &writer
            )
            writer.write(UInt32(batch.commands.count))
            for command in batch.commands { command.encode(into: &writer) }
            if let deliveries = batch.deliveries { deliveries.encode(into: &writer) }
        case .heartbeat(let session, let statistics):
            writer.write(Kind.heartbeat.rawValue)
            writer.write(session)
            writer.write(statistics.connectionCount)
            writer.write(statistics.commandCount)
            writer.write(statistics.residentKilobytes)
            if let uptime = statistics.uptimeSeconds { writer.write(uptime) }
        case .detach(let session):
            writer.write(Kind.detach.rawValue)
            writer.write(session)
        case .tick(let task, let number):
            writer.write(Kind.tick.rawValue)
            writer.write(task.rawValue)
            writer.write(number)
        }
        return writer.bytes
    }

    /// The oldest version that has everything in it that is to be said.
    private var version: UInt8 {
        switch self {
        case .batch(let batch): batch.deliveries == nil ? LinkVersion.current : 2
        case .heartbeat(_, let statistics): statistics.uptimeSeconds == nil ? LinkVersion.current : 2
        case .attach, .detach, .tick: LinkVersion.current
        }
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(LinkFormatError) {
        var reader = LinkReader(bytes)
        let version = try reader.readVersion()
        let code = try reader.readUInt8()
        switch Kind(rawValue: code) {
        case .attach:
            self = .attach(
                FrontIntroduction(
                    session: try reader.readSession(),
                    name: try reader.readString(),
                    software: try reader.readString(),
                    isNew: try reader.readUInt8() != 0
                )
            )
        case .batch:
            self = .batch(try CommandBatch(from: &reader, version: version))
        case .heartbeat:
            self = .heartbeat(
                try reader.readSession(),
                FrontStatistics(
                    connectionCount: try reader.readUInt64(),
                    commandCount: try reader.readUInt64(),
                    residentKilobytes: try reader.readUInt64(),
                    uptimeSeconds: version >= 2 ? try reader.readUInt64() : nil
                )
            )
        case .detach:
            self = .detach(try reader.readSession())
        case .tick:
            let task = try reader.readTask()
            self = .tick(task, number: try reader.readUInt64())
        case nil:
            throw .unknown(field: "message to leader", value: code)
        }
        try reader.finish()
    }
}

extension CommandBatch {
    /// The bytes that precede the count of commands.
    ///
    /// A front encodes its commands as they come in and puts this in front of them when the
    /// batch leaves: header, count of four bytes, commands.
    package static func encodeHeader(
        lane: LaneKey,
        number: UInt64,
        settled: UInt64,
        into writer: inout LinkWriter
    ) {
        writer.write(Kind.batch.rawValue)
        writer.write(lane.session)
        writer.write(lane.lane)
        writer.write(number)
        writer.write(settled)
    }

    /// A whole batch message from commands that are encoded already.
    package static func encode(
        lane: LaneKey,
        number: UInt64,
        settled: UInt64,
        commandCount: Int,
        commands: [UInt8],
        deliveries: Deliveries? = nil
    ) -> [UInt8] {
        var writer = LinkWriter(reserving: commands.count + 64)
        writer.write(deliveries == nil ? LinkVersion.current : 2)
        self.encodeHeader(lane: lane, number: number, settled: settled, into: &writer)
        writer.write(UInt32(commandCount))
        writer.writeEncoded(commands)
        if let deliveries { deliveries.encode(into: &writer) }
        return writer.bytes
    }

    fileprivate init(from reader: inout LinkReader, version: UInt8) throws(LinkFormatError) {
        self.lane = LaneKey(session: try reader.readSession(), lane: try reader.readUInt16())
        self.number = try reader.readUInt64()
        self.settled = try reader.readUInt64()
        let count = try reader.readCount(atMost: LinkBound.commandCount, smallest: LinkCommand.smallestByteCount)
        self.commands = []
        self.commands.reserveCapacity(count)
        for _ in 0..<count { self.commands.append(try LinkCommand(from: &reader)) }
        self.deliveries = version >= 2 ? try Deliveries(from: &reader) : nil
    }
}

extension CommandBatch.Deliveries {
    fileprivate func encode(into writer: inout LinkWriter) {
        writer.write(self.arrived)
        writer.write(UInt32(self.written.count))
        for offer in self.written { writer.write(offer) }
    }

    fileprivate init(from reader: inout LinkReader) throws(LinkFormatError) {
        self.arrived = try reader.readUInt64()
        let count = try reader.readCount(atMost: LinkBound.writtenOfferCount, smallest: 8)
        self.written = []
        self.written.reserveCapacity(count)
        for _ in 0..<count { self.written.append(try reader.readUInt64()) }
    }
}

extension LinkWriter {
    mutating func write(_ session: SessionID) {
        self.write(session.high)
        self.write(session.low)
    }
}

extension LinkReader {
    mutating func readVersion() throws(LinkFormatError) -> UInt8 {
        let version = try self.readUInt8()
        guard LinkVersion.spoken.contains(version) else { throw .version(version) }
        return version
    }

    mutating func readSession() throws(LinkFormatError) -> SessionID {
        SessionID(high: try self.readUInt64(), low: try self.readUInt64())
    }

    mutating func readTask() throws(LinkFormatError) -> SchedulerTask {
        let code = try self.readUInt8()
        guard let task = SchedulerTask(rawValue: code) else { throw .unknown(field: "task", value: code) }
        return task
    }
}
