import ClusterLink
import Front
import JobCore

/// Drives a lane's machine and says in words what it wants.
struct LaneScript {
    static let session = SessionID(high: 1, low: 2)

    var machine: LaneMachine
    var now = Uptime(nanoseconds: 0)

    init(limits: LaneLimits = LaneLimits(), isAttached: Bool = true) {
        self.machine = LaneMachine(lane: LaneKey(session: Self.session, lane: 3), limits: limits)
        if isAttached { _ = self.machine.attached(at: self.now) }
    }

    mutating func pass(_ time: Duration) {
        self.now = self.now + time
    }

    @discardableResult
    mutating func append(_ body: LinkCommand.Body, for connection: UInt64 = 1) -> UInt64 {
        self.machine.append(body, for: ConnectionID(connection), at: self.now)
    }

    @discardableResult
    mutating func push(_ text: String = "j", for connection: UInt64 = 1) -> UInt64 {
        self.append(.push(job: Array(text.utf8)), for: connection)
    }

    @discardableResult
    mutating func fetch(_ queue: String = "q", wait: UInt32 = 1_900, for connection: UInt64 = 1) -> UInt64 {
        self.append(.fetch(worker: "w", queues: [queue], waitMilliseconds: wait), for: connection)
    }

    mutating func join(_ worker: String) -> UInt64 {
        let introduction = WorkerIntroduction(
            worker: worker,
            hostname: "",
            processID: 0,
            labels: [],
            residentKilobytes: 0
        )
        return self.machine.join(introduction, at: self.now)
    }

    mutating func flush() -> [String] { Self.words(self.machine.flush(at: self.now)) }
    mutating func tick() -> [String] { Self.words(self.machine.tick(at: self.now)) }
    mutating func settle() -> [String] { Self.words(self.machine.settleDue(at: self.now)) }
    mutating func attach() -> [String] { Self.words(self.machine.attached(at: self.now)) }

    mutating func alive() -> [String] { Self.words(self.machine.leaderIsAlive(at: self.now)) }
    mutating func returned() -> [String] { Self.words(self.machine.leaderReturned(at: self.now)) }

    mutating func reply(_ batch: UInt64, _ replies: LinkReply...) -> [String] {
        Self.words(self.machine.receive(replies, toBatch: batch, at: self.now))
    }

    mutating func late(_ request: UInt64, _ reply: LinkReply) -> [String] {
        Self.words(self.machine.receive(late: [LateReply(request: request, reply: reply)], at: self.now))
    }

    static func job(_ offer: UInt64) -> LinkReply { .job(offer: offer, payload: Array("J\(offer)".utf8)) }

    /// All but what a front tells of itself, which precedes each batch with a question.
    static func words(_ actions: [LaneAction]) -> [String] { actions.filter { $0 != .tellFigures }.map(self.words) }

    private static func words(_ action: LaneAction) -> String {
        switch action {
        case .send(let message): self.words(message)
        case .answer(let connection, let request, let reply):
            "to \(connection.number): #\(request) \(self.words(reply))"
        case .tellFigures: "figures"
        case .close(let connection): "close \(connection.number)"
        case .pauseReading: "pause"
        case .resumeReading: "resume"
        case .settleLater: "settle later"
        case .complain(let batch, let replies, let commands): "batch \(batch): \(replies) replies for \(commands)"
        }
    }

    private static func words(_ message: [UInt8]) -> String {
        guard let message = try? message.withUnsafeBytes({ try MessageToLeader(decoding: $0) }) else {
            return "garbage"
        }
        guard case .batch(let batch) = message else { return "no batch" }
        let commands = batch.commands.map { "\(self.words($0.body))#\($0.request)" }.joined(separator: " ")
        let more = batch.deliveries.map { " (arrived \($0.arrived), written \($0.written))" } ?? ""
        return "\(batch.number)/\(batch.settled): \(commands)\(more)"
    }

    private static func words(_ body: LinkCommand.Body) -> String {
        switch body {
        case .push(let job): "push(\(String(decoding: job, as: UTF8.self)))"
        case .fetch(_, let queues, let wait): "fetch(\(queues.joined(separator: ",")),\(wait))"
        case .withdraw: "withdraw"
        case .mutate: "mutate"
        case .info: "info"
        case .workerJoined(let introduction): "join(\(introduction.worker))"
        case .workerLeft(let worker): "left(\(worker))"
        default: "other"
        }
    }

    private static func words(_ reply: LinkReply) -> String {
        switch reply {
        case .job(let offer, let payload): "job \(offer) \(String(decoding: payload, as: UTF8.self))"
        case .error(let text): "error \(text)"
        default: "\(reply)"
        }
    }
}
