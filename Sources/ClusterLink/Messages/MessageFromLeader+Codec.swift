import JobCore

private enum Kind: UInt8 {
    case attached = 65
    case attachFirst = 66
    case expired = 67
    case replies = 68
    case late = 69
    case dropWorkers = 70
    case alive = 71
    case tickDone = 72
    case speaks = 73
}

extension MessageFromLeader {
    /// How many late replies, or dropped workers, one message may hold; a leader sends several messages for more.
    package static let listBound = 100_000

    package func encoded() -> [UInt8] {
        var writer = LinkWriter()
        writer.write(self.version)
        switch self {
        case .attached(let session, let epoch):
            writer.write(Kind.attached.rawValue)
            writer.write(session)
            writer.write(epoch.number)
        case .attachFirst(let session):
            writer.write(Kind.attachFirst.rawValue)
            writer.write(session)
        case .expired(let session):
            writer.write(Kind.expired.rawValue)
            writer.write(session)
        case .replies(let lane, let batch, let replies):
            writer.write(Kind.replies.rawValue)
            writer.write(lane)
            writer.write(batch)
            LinkReply.encode(replies, into: &writer)
        case .late(let lane, let late):
            writer.write(Kind.late.rawValue)
            writer.write(lane)
            writer.write(UInt32(late.count))
            for late in late {
                writer.write(late.request)
                late.reply.encode(into: &writer)
            }
        case .dropWorkers(let session, let workers):
            writer.write(Kind.dropWorkers.rawValue)
            writer.write(session)
            writer.write(workers)
        case .alive(let session, let epoch):
            writer.write(Kind.alive.rawValue)
            writer.write(session)
            writer.write(epoch.number)
        case .speaks(let session, let version):
            writer.write(Kind.speaks.rawValue)
            writer.write(session)
            writer.write(version)
        case .tickDone(let task, let number, let count):
            writer.write(Kind.tickDone.rawValue)
            writer.write(task.rawValue)
            writer.write(number)
            writer.write(count)
        }
        return writer.bytes
    }

    private var version: UInt8 {
        if case .speaks = self { 2 } else { LinkVersion.current }
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(LinkFormatError) {
        var reader = LinkReader(bytes)
        _ = try reader.readVersion()
        let code = try reader.readUInt8()
        switch Kind(rawValue: code) {
        case .attached:
            self = .attached(try reader.readSession(), epoch: Epoch(try reader.readUInt64()))
        case .attachFirst:
            self = .attachFirst(try reader.readSession())
        case .expired:
            self = .expired(try reader.readSession())
        case .replies:
            self = .replies(
                try reader.readLane(),
                batch: try reader.readUInt64(),
                try LinkReply.readList(from: &reader)
            )
        case .late:
            let lane = try reader.readLane()
            let count = try reader.readCount(atMost: Self.listBound, smallest: 9)
            var late: [LateReply] = []
            late.reserveCapacity(count)
            for _ in 0..<count {
                late.append(LateReply(request: try reader.readUInt64(), reply: try LinkReply(from: &reader)))
            }
            self = .late(lane, late)
        case .dropWorkers:
            self = .dropWorkers(try reader.readSession(), try reader.readStrings(atMost: Self.listBound))
        case .alive:
            self = .alive(try reader.readSession(), epoch: Epoch(try reader.readUInt64()))
        case .speaks:
            self = .speaks(try reader.readSession(), version: try reader.readUInt8())
        case .tickDone:
            self = .tickDone(
                try reader.readTask(),
                number: try reader.readUInt64(),
                count: try reader.readUInt64()
            )
        case nil:
            throw .unknown(field: "message from leader", value: code)
        }
        try reader.finish()
    }
}

extension LinkWriter {
    fileprivate mutating func write(_ lane: LaneKey) {
        self.write(lane.session)
        self.write(lane.lane)
    }
}

extension LinkReader {
    fileprivate mutating func readLane() throws(LinkFormatError) -> LaneKey {
        LaneKey(session: try self.readSession(), lane: try self.readUInt16())
    }
}
