import ClusterLink
import JobCore

@testable import Manager

/// A front as a test plays it: it numbers batches and requests, and keeps what comes back.
final class TestFront {
    let session: SessionID
    let name: String
    let peer: LinkPeer
    private unowned let world: ManagerWorld
    private var lastBatches: [UInt16: UInt64] = [:]
    private(set) var lastRequest: UInt64 = 0
    private var replies: [UInt64: [LinkReply]] = [:]
    private(set) var late: [UInt64: LinkReply] = [:]
    /// How many late replies each request has had.
    private(set) var lateCounts: [UInt64: Int] = [:]
    private(set) var others: [MessageFromLeader] = []
    /// The last batch that was sent.
    private(set) var lastMessage: MessageToLeader?
    /// Every job offered up to this number counts as written from the next batch on.
    var settled: UInt64 = 0
    /// What the next batch tells of offers beyond them.
    var deliveries: CommandBatch.Deliveries?

    init(_ number: UInt64, name: String, in world: ManagerWorld) {
        self.session = SessionID(high: 7, low: number)
        self.name = name
        self.peer = LinkPeer(identity: Array("peer-\(number)".utf8))
        self.world = world
    }

    func attach(isNew: Bool = true) throws {
        let introduction = FrontIntroduction(
            session: self.session,
            name: self.name,
            software: "test",
            isNew: isNew
        )
        try self.world.take([.attach(introduction)], from: self.peer)
    }

    func detach() throws {
        try self.world.take([.detach(self.session)], from: self.peer)
    }

    func beat(_ statistics: FrontStatistics = FrontStatistics()) throws {
        try self.world.take([.heartbeat(self.session, statistics)], from: self.peer)
    }

    func number(_ bodies: [LinkCommand.Body]) -> [LinkCommand] {
        bodies.map { body in
            self.lastRequest += 1
            return LinkCommand(request: self.lastRequest, body)
        }
    }

    func makeBatch(_ commands: [LinkCommand], lane: UInt16 = 0) -> MessageToLeader {
        let number = (self.lastBatches[lane] ?? 0) + 1
        self.lastBatches[lane] = number
        let message = MessageToLeader.batch(
            CommandBatch(
                lane: LaneKey(session: self.session, lane: lane),
                number: number,
                settled: self.settled,
                commands: commands,
                deliveries: self.deliveries
            )
        )
        self.lastMessage = message
        return message
    }

    /// Sends one batch in a turn of its own; its replies, or none when they did not arrive.
    @discardableResult
    func send(_ commands: [LinkCommand], lane: UInt16 = 0) throws -> [LinkReply] {
        try self.resend(self.makeBatch(commands, lane: lane))
    }

    /// Sends one batch of new commands in a turn of its own.
    @discardableResult
    func send(_ bodies: LinkCommand.Body..., lane: UInt16 = 0) throws -> [LinkReply] {
        try self.send(self.number(bodies), lane: lane)
    }

    /// Sends one new command in a turn of its own.
    @discardableResult
    func ask(_ body: LinkCommand.Body, lane: UInt16 = 0) throws -> LinkReply {
        guard let reply = try self.send(self.number([body]), lane: lane).first else { throw WorldError.noReply }
        return reply
    }

    /// Sends one command whose answer comes late, and lets the leader work until it is there.
    func wait(for body: LinkCommand.Body, lane: UInt16 = 0) throws -> LinkReply {
        let reply = try self.ask(body, lane: lane)
        guard reply == .deferred || reply == .parked else { return reply }
        let request = self.lastRequest
        try self.world.finish()
        guard let late = self.late[request] else { throw WorldError.noReply }
        return late
    }

    /// Sends a batch that was sent before, or was made and not sent.
    @discardableResult
    func resend(_ message: MessageToLeader) throws -> [LinkReply] {
        guard case .batch(let batch) = message else { throw WorldError.noReply }
        self.replies[batch.number &+ UInt64(batch.lane.lane) << 48] = nil
        try self.world.take([message], from: self.peer)
        return self.replies[batch.number &+ UInt64(batch.lane.lane) << 48] ?? []
    }

    @discardableResult
    func resendLast() throws -> [LinkReply] {
        guard let message = self.lastMessage else { throw WorldError.noReply }
        return try self.resend(message)
    }

    func receive(_ message: MessageFromLeader) {
        switch message {
        case .replies(let lane, let batch, let replies):
            self.replies[batch &+ UInt64(lane.lane) << 48] = replies
        case .late(_, let late):
            for late in late {
                self.late[late.request] = late.reply
                self.lateCounts[late.request, default: 0] += 1
            }
        default:
            self.others.append(message)
        }
    }

    func forgetOthers() {
        self.others.removeAll()
    }
}

extension LinkReply {
    /// The jid of the job that this is.
    var jobID: String? {
        guard case .job(_, let payload) = self else { return nil }
        return try? Job(parsing: payload).id.text
    }

    var offer: UInt64? {
        guard case .job(let offer, _) = self else { return nil }
        return offer
    }

    /// The text of a bulk or an error.
    var text: String? {
        switch self {
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .error(let text): text
        default: nil
        }
    }
}
