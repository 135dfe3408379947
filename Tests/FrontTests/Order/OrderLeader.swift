import ClusterLink
import DequeModule
import JobCore

/// A leader whose answers are chance, but which keeps its promises: a batch counts once, an offer has one end.
struct OrderLeader {
    static let lane = LaneKey(session: SessionID(high: 1, low: 2), lane: 0)

    struct Offer {
        let request: UInt64
        var isSettled = false
        var isTakenBack = false
    }

    /// What is on its way to the front.
    var outgoing: Deque<MessageFromLeader> = []
    /// From 1 on.
    private(set) var offers: [Offer] = []
    private var lastBatch: UInt64 = 0
    private var lastReplies: [LinkReply] = []
    private var parked: [UInt64: String] = [:]
    private var deferred: [UInt64: String] = [:]
    /// Whether the last batch was carried out by an earlier one.
    private var isReplaced = false

    /// Carries out the oldest batch; false when none is there.
    @discardableResult
    mutating func handleNext(from link: OrderLink, using generator: inout SeededGenerator) -> Bool {
        guard let batch = link.removeFirst() else { return false }
        if batch.number > self.lastBatch {
            self.isReplaced = false
            self.lastBatch = batch.number
            self.lastReplies = batch.commands.map { self.execute($0, using: &generator) }
            for index in self.offers.indices where index < Int(batch.settled) { self.settle(index) }
        }
        guard batch.number == self.lastBatch else { return true }
        let late = self.isReplaced ? self.replay(batch, using: &generator) : []
        self.outgoing.append(.replies(batch.lane, batch: batch.number, self.lastReplies))
        if !late.isEmpty { self.outgoing.append(.late(batch.lane, late)) }
        return true
    }

    /// Takes up again what waited with an earlier leader; what can be answered now.
    private mutating func replay(_ batch: CommandBatch, using generator: inout SeededGenerator) -> [LateReply] {
        self.isReplaced = false
        var late: [LateReply] = []
        let withdrawn = batch.commands.filter(\.isWithdrawal).map(\.request)
        for (index, command) in batch.commands.enumerated() {
            switch self.lastReplies[index] {
            case .deferred:
                self.lastReplies[index] = self.execute(command, using: &generator)
            case .parked where !withdrawn.contains(command.request):
                let reply = self.execute(command, using: &generator)
                if reply != .parked { late.append(LateReply(request: command.request, reply: reply)) }
            case .job(let offer, _) where self.offers[Int(offer) - 1].isTakenBack:
                self.lastReplies[index] = .null
            default:
                break
            }
        }
        return late
    }

    /// Answers some of what waits.
    mutating func answerLate(using generator: inout SeededGenerator) {
        var late: [LateReply] = []
        for (request, name) in self.parked.sorted(by: { $0.key < $1.key }) where Bool.random(using: &generator) {
            self.parked[request] = nil
            late.append(LateReply(request: request, reply: self.job(for: request, name, using: &generator) ?? .null))
        }
        for (request, text) in self.deferred.sorted(by: { $0.key < $1.key }) where Bool.random(using: &generator) {
            self.deferred[request] = nil
            late.append(LateReply(request: request, reply: .bulk(Array(text.utf8))))
        }
        if !late.isEmpty { self.outgoing.append(.late(Self.lane, late)) }
    }

    /// Another leads: it knows what was recorded, and nothing of what waited.
    mutating func beReplaced() {
        self.isReplaced = true
        self.outgoing = []
        self.parked = [:]
        self.deferred = [:]
    }

    private mutating func settle(_ index: Int) {
        if !self.offers[index].isTakenBack { self.offers[index].isSettled = true }
    }

    private mutating func execute(_ command: LinkCommand, using generator: inout SeededGenerator) -> LinkReply {
        switch command.body {
        case .push(let bytes):
            let text = "P\(String(decoding: bytes, as: UTF8.self))"
            guard Int.random(in: 0..<4, using: &generator) == 0 else { return .bulk(Array(text.utf8)) }
            self.deferred[command.request] = text
            return .deferred
        case .latency(let queues):
            self.deferred[command.request] = "L\(queues[0].dropFirst())"
            return .deferred
        case .fetch(_, let queues, _):
            let name = String(queues[0].dropFirst())
            if let known = self.offers.lastIndex(where: { $0.request == command.request }),
                !self.offers[known].isSettled, !self.offers[known].isTakenBack
            {
                return Self.job(known + 1, name)
            }
            if let job = self.job(for: command.request, name, using: &generator) { return job }
            self.parked[command.request] = name
            return .parked
        case .withdraw:
            self.parked[command.request] = nil
            for index in self.offers.indices where self.offers[index].request == command.request {
                if !self.offers[index].isSettled { self.offers[index].isTakenBack = true }
            }
            return .nothing
        default:
            return .ok
        }
    }

    private mutating func job(
        for request: UInt64,
        _ name: String,
        using generator: inout SeededGenerator
    ) -> LinkReply? {
        guard Bool.random(using: &generator) else { return nil }
        self.offers.append(Offer(request: request))
        return Self.job(self.offers.count, name)
    }

    private static func job(_ offer: Int, _ name: String) -> LinkReply {
        .job(offer: UInt64(offer), payload: Array("J\(name).\(offer)".utf8))
    }
}
