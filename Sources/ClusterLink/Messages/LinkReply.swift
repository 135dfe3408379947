/// What the leader answers to one command.
package enum LinkReply: Hashable, Sendable {
    /// Done; the front has nothing to tell anyone (`withdraw`, `workerJoined`, `workerLeft`).
    case nothing
    /// `+OK`.
    case ok
    /// `-CODE text`, without the dash: nothing was done.
    case error(String)
    /// A bulk string, usually JSON.
    case bulk([UInt8])
    /// `$-1`: no job.
    case null
    /// A job for a FETCH. It counts as *offered* until the front settles the number.
    case job(offer: UInt64, payload: [UInt8])
    /// The FETCH waits; its answer comes as a late reply.
    case parked
    /// The command takes time; its answer comes as a late reply. After a fail-over it is sent again.
    case deferred
}

extension LinkReply {
    /// About how many bytes it takes in a message, and no fewer than half.
    package var estimatedByteCount: Int {
        switch self {
        case .job(_, let payload): payload.count + 32
        case .bulk(let bytes): bytes.count + 32
        case .error(let text): text.utf8.count + 32
        case .nothing, .ok, .null, .parked, .deferred: 32
        }
    }

    private enum Kind: UInt8 {
        case nothing = 0
        case ok = 1
        case error = 2
        case bulk = 3
        case null = 4
        case job = 5
        case parked = 6
        case deferred = 7
    }

    package func encode(into writer: inout LinkWriter) {
        switch self {
        case .nothing: writer.write(Kind.nothing.rawValue)
        case .ok: writer.write(Kind.ok.rawValue)
        case .error(let text):
            writer.write(Kind.error.rawValue)
            writer.write(text)
        case .bulk(let bytes):
            writer.write(Kind.bulk.rawValue)
            writer.write(bytes)
        case .null: writer.write(Kind.null.rawValue)
        case .job(let offer, let payload):
            writer.write(Kind.job.rawValue)
            writer.write(offer)
            writer.write(payload)
        case .parked: writer.write(Kind.parked.rawValue)
        case .deferred: writer.write(Kind.deferred.rawValue)
        }
    }

    package init(from reader: inout LinkReader) throws(LinkFormatError) {
        let code = try reader.readUInt8()
        switch Kind(rawValue: code) {
        case .nothing: self = .nothing
        case .ok: self = .ok
        case .error: self = .error(try reader.readString())
        case .bulk: self = .bulk(try reader.readBytes())
        case .null: self = .null
        case .job: self = .job(offer: try reader.readUInt64(), payload: try reader.readBytes())
        case .parked: self = .parked
        case .deferred: self = .deferred
        case nil: throw .unknown(field: "reply", value: code)
        }
    }

    /// A list of replies behind its count.
    package static func encode(_ replies: [LinkReply], into writer: inout LinkWriter) {
        writer.write(UInt32(replies.count))
        for reply in replies { reply.encode(into: &writer) }
    }

    package static func readList(from reader: inout LinkReader) throws(LinkFormatError) -> [LinkReply] {
        let count = try reader.readCount(atMost: LinkBound.commandCount, smallest: 1)
        var replies: [LinkReply] = []
        replies.reserveCapacity(count)
        for _ in 0..<count { replies.append(try LinkReply(from: &reader)) }
        return replies
    }
}
