import ClusterLink
import JobCore

@testable import Manager

/// What all clients together have seen: which jobs they know to be stored, have, and have reported.
///
/// It holds the leader to its promises as the clients can see them.
struct ClientHistory {
    enum Ending {
        case acknowledged
        case failed
    }

    /// Jobs whose PUSH was answered with OK.
    private(set) var accepted: Set<String> = []
    /// Jobs that a worker has now, and which.
    private(set) var holders: [String: String] = [:]
    /// Jobs whose ACK was sent.
    private(set) var acknowledged: Set<String> = []
    /// Jobs whose ACK was answered.
    private(set) var finished: Set<String> = []
    private(set) var acknowledgedCount: UInt64 = 0
    private(set) var failedCount: UInt64 = 0
    private(set) var violations: [String] = []
    /// Jobs that were with a front when it died: they may run twice, and their reports may come too late.
    private(set) var orphans: Set<String> = []

    /// A front has died with these jobs in its clients' hands.
    mutating func noteOrphans(_ jobIDs: [String]) {
        self.orphans.formUnion(jobIDs)
        for jobID in jobIDs { self.holders[jobID] = nil }
    }

    mutating func noteAccepted(_ jobID: String) {
        self.accepted.insert(jobID)
    }

    mutating func noteDelivered(_ jobID: String, to worker: String) {
        let isOrphan = self.orphans.contains(jobID)
        if self.finished.contains(jobID), !isOrphan { self.violations.append("\(jobID) runs after its ACK") }
        if let other = self.holders[jobID], !isOrphan {
            self.violations.append("\(jobID) was given to \(worker) while \(other) has it")
        }
        self.holders[jobID] = worker
    }

    /// A worker has reported the job; from here on it may be handed out again if it failed.
    mutating func noteReported(_ jobID: String, as ending: Ending) {
        self.holders[jobID] = nil
        switch ending {
        case .acknowledged:
            self.acknowledged.insert(jobID)
            self.acknowledgedCount += 1
        case .failed: self.failedCount += 1
        }
    }

    mutating func noteFinished(_ jobID: String) {
        self.finished.insert(jobID)
    }

    mutating func complain(_ text: String) {
        self.violations.append(text)
    }
}

/// A front and its clients, with the rules of a real one: one batch under way, sent again until it is answered,
/// parked fetches and deferred commands asked for again after a fail-over, jobs of clients that are gone given back.
final class ModelFront {
    private enum Purpose {
        case push(String)
        case fetch
        case withdrawal
        case acknowledge(String)
        case fail(String)
        case inquiry
    }

    let session: SessionID
    let peer: LinkPeer
    private let name: String
    private let worker: String
    private var isAttached = false
    private var hasBeenAttached = false
    private var lastRequest: UInt64 = 0
    private var lastBatch: UInt64 = 0
    private var inFlight: CommandBatch?
    private var pending: [LinkCommand] = []
    private var purposes: [UInt64: Purpose] = [:]
    private var fetches: Set<UInt64> = []
    private var parked: Set<UInt64> = []
    private var deferred: [UInt64: LinkCommand] = [:]
    /// Offers that were written to their clients, or are taken back by a batch that has left.
    private var closedOffers: Set<UInt64> = []
    private var offersOfWithdrawals: [UInt64: UInt64] = [:]
    private var highestOffer: UInt64 = 0
    private(set) var settled: UInt64 = 0
    private(set) var withdrawalCount = 0
    private var fetchCommands: [UInt64: LinkCommand] = [:]
    /// Jobs that this front's worker has and has not reported yet.
    private(set) var held: [String] = []

    /// - Parameter held: jobs of a worker that comes from a front that has died.
    init(_ number: UInt64, name: String, held: [String] = []) {
        self.name = name
        self.held = held
        self.session = SessionID(high: 9, low: number)
        self.peer = LinkPeer(identity: Array("model-\(number)".utf8))
        self.worker = "worker-of-\(number)"
    }

    var openFetches: [UInt64] { self.fetches.sorted() }
    var isQuiet: Bool {
        self.inFlight == nil && self.pending.isEmpty && self.deferred.isEmpty && self.held.isEmpty
    }

    private func add(_ body: LinkCommand.Body, _ purpose: Purpose) {
        self.lastRequest += 1
        self.purposes[self.lastRequest] = purpose
        self.pending.append(LinkCommand(request: self.lastRequest, body))
    }

    // MARK: What clients do

    func push(_ jobID: String, queue: String, _ members: String) {
        self.add(.push(jobID, queue: queue, members), .push(jobID))
    }

    func fetch(from queues: [String]) {
        self.add(.fetch(worker: self.worker, queues: queues, waitMilliseconds: 1_900), .fetch)
        self.fetches.insert(self.lastRequest)
    }

    /// The client of a fetch closes its connection.
    func abandon(_ request: UInt64) {
        guard self.fetches.remove(request) != nil else { return }
        self.parked.remove(request)
        self.withdraw(request, offer: nil)
    }

    private func withdraw(_ request: UInt64, offer: UInt64?) {
        self.withdrawalCount += 1
        if let offer { self.offersOfWithdrawals[request] = offer }
        self.purposes[request] = .withdrawal
        guard !self.pending.contains(where: { $0.request == request && $0.isWithdrawal }) else { return }
        self.pending.append(LinkCommand(request: request, .withdraw))
    }

    func report(_ index: Int, as ending: ClientHistory.Ending) {
        let jobID = self.held.remove(at: index)
        switch ending {
        case .acknowledged: self.add(.acknowledge(jobID), .acknowledge(jobID))
        case .failed: self.add(.fail(jobID), .fail(jobID))
        }
    }

    /// What has waited for long is asked for once more, in case that its answer was lost.
    func askAgain() {
        let again = self.parked.sorted().compactMap { self.fetchCommands[$0] }
        let commands = again + self.deferred.values.sorted { $0.request < $1.request }
        self.parked = []
        self.deferred = [:]
        self.pending.append(contentsOf: commands)
    }

    func inquire() {
        self.add(.info, .inquiry)
    }

    // MARK: What leaves

    /// What the front would send now.
    func messages() -> [MessageToLeader] {
        guard self.isAttached else {
            return [
                .attach(
                    FrontIntroduction(
                        session: self.session,
                        name: self.name,
                        software: "model",
                        isNew: !self.hasBeenAttached
                    )
                )
            ]
        }
        if self.inFlight == nil, !self.pending.isEmpty { self.formBatch() }
        return self.inFlight.map { [.batch($0)] } ?? [.heartbeat(self.session, FrontStatistics())]
    }

    private func formBatch() {
        for command in self.pending where command.isWithdrawal {
            if let offer = self.offersOfWithdrawals.removeValue(forKey: command.request) {
                self.closedOffers.insert(offer)
            }
        }
        self.advanceSettled()
        self.lastBatch += 1
        self.inFlight = CommandBatch(
            lane: LaneKey(session: self.session, lane: 0),
            number: self.lastBatch,
            settled: self.settled,
            commands: self.pending
        )
        self.pending = []
    }

    private func advanceSettled() {
        // Offers of withdrawn fetches that were never seen are over when nothing is open any more.
        let hasWithdrawals = self.pending.contains(where: \.isWithdrawal)
        if self.fetches.isEmpty, !hasWithdrawals { self.settled = max(self.settled, self.highestOffer) }
        self.closedOffers = self.closedOffers.filter { $0 > self.settled }
        while self.closedOffers.remove(self.settled + 1) != nil { self.settled += 1 }
    }

    // MARK: What comes back

    func receive(_ message: MessageFromLeader, _ history: inout ClientHistory) {
        switch message {
        case .attached: self.attached()
        case .attachFirst: self.isAttached = false
        case .expired: history.complain("the session of \(self.worker) expired")
        case .replies(_, let number, let replies): self.receive(replies, toBatch: number, &history)
        case .late(_, let late):
            for late in late { self.receive(late: late, &history) }
        case .dropWorkers, .alive, .speaks, .tickDone: break
        }
    }

    private func attached() {
        self.isAttached = true
        self.hasBeenAttached = true
        let behind = self.pending
        self.pending = []
        self.askAgain()
        self.pending.append(contentsOf: behind)
    }

    private func receive(_ replies: [LinkReply], toBatch number: UInt64, _ history: inout ClientHistory) {
        guard let batch = self.inFlight, batch.number == number else { return }
        self.inFlight = nil
        guard replies.count == batch.commands.count else {
            return history.complain("batch \(number) got \(replies.count) replies")
        }
        for (command, reply) in zip(batch.commands, replies) { self.take(reply, of: command, &history) }
    }

    private func take(_ reply: LinkReply, of command: LinkCommand, _ history: inout ClientHistory) {
        if command.isWithdrawal { return }
        switch self.purposes[command.request] {
        case .push(let jobID):
            if reply == .ok { history.noteAccepted(jobID) } else { history.complain("PUSH \(jobID): \(reply)") }
        case .acknowledge(let jobID):
            if reply == .ok { history.noteFinished(jobID) } else { history.complain("ACK \(jobID): \(reply)") }
        case .fail(let jobID):
            if reply != .ok, !history.orphans.contains(jobID) { history.complain("FAIL \(jobID): \(reply)") }
        case .inquiry:
            if reply == .deferred { self.deferred[command.request] = command }
        case .fetch, .withdrawal:
            if reply == .parked { self.fetchCommands[command.request] = command }
            self.takeFetchReply(reply, of: command.request, &history)
        case nil:
            history.complain("a reply to nothing: \(reply)")
        }
    }

    private func takeFetchReply(_ reply: LinkReply, of request: UInt64, _ history: inout ClientHistory) {
        let isAwaited = self.fetches.contains(request)
        switch reply {
        case .parked:
            if isAwaited { self.parked.insert(request) }
        case .job(let offer, let payload):
            self.highestOffer = max(self.highestOffer, offer)
            guard offer > self.settled, !self.closedOffers.contains(offer) else { return }
            guard isAwaited else { return self.withdraw(request, offer: offer) }
            self.fetches.remove(request)
            self.parked.remove(request)
            self.closedOffers.insert(offer)
            guard let job = try? Job(parsing: payload) else { return history.complain("no job: \(reply)") }
            history.noteDelivered(job.id.text, to: self.worker)
            self.held.append(job.id.text)
        default:
            self.fetches.remove(request)
            self.parked.remove(request)
        }
    }

    private func receive(late: LateReply, _ history: inout ClientHistory) {
        if self.deferred.removeValue(forKey: late.request) != nil { return }
        switch self.purposes[late.request] {
        case .fetch, .withdrawal: self.takeFetchReply(late.reply, of: late.request, &history)
        default: break
        }
    }
}

extension LinkCommand {
    var isWithdrawal: Bool {
        if case .withdraw = self.body { return true }
        return false
    }
}
