import ClusterLink
import DequeModule
import JobCore

/// A front, as the leader knows it.
final class FrontSession {
    let id: SessionID
    let name: String
    /// The key that it belongs to; nil while it is not known, and on a link without keys.
    var key: String?
    /// Where its messages come from; nil until it has spoken to this leader.
    var peer: LinkPeer?
    var lastHeard: Uptime
    var statistics = FrontStatistics()
    var lanes: [UInt16: Lane] = [:]
    /// Whether the front has taken the session up again: its workers are announced anew.
    private(set) var isTakenUp = false

    init(id: SessionID, name: String, key: String? = nil, heardAt now: Uptime) {
        self.id = id
        self.name = name
        self.key = key
        self.lastHeard = now
    }

    /// Whether a peer may speak for it.
    func mayBelong(to peer: LinkPeer) -> Bool {
        guard let owner = peer.owner, let key = self.key else { return true }
        return owner.key == key
    }

    /// The front has attached: what it sends next may be ahead of what is known of its lanes.
    func expectAnyBatch() {
        for lane in self.lanes.values { lane.mayBeAhead = true }
    }

    deinit {
        // A fetch that waits, its lane and its queues hold each other, and nobody answers it any more.
        for lane in self.lanes.values {
            for fetch in lane.waiting.values { fetch.lines = [] }
            lane.waiting = [:]
            lane.forgetHeldBack()
        }
    }

    func lane(_ number: UInt16) -> Lane {
        if let lane = self.lanes[number] { return lane }
        let lane = Lane(key: LaneKey(session: self.id, lane: number), record: nil)
        lane.awaitsAnnouncements = self.isTakenUp
        if self.isTakenUp { lane.passOverNumbers() }
        self.lanes[number] = lane
        return lane
    }

    /// The front has attached to this leader, and knew the session from an earlier one.
    func takeUp() {
        for lane in self.lanes.values {
            lane.awaitsAnnouncements = true
            if !self.isTakenUp { lane.passOverNumbers() }
        }
        self.isTakenUp = true
    }
}

/// A session's lane: one batch at a time, each applied once.
final class Lane {
    /// A job that was handed out on this lane and has not been settled.
    struct Offer {
        let number: UInt64
        let request: UInt64
        let jobID: JobID
        let byteCount: Int
    }

    /// What a batch is, seen from what this lane has had so far.
    enum Standing: Equatable {
        /// Not seen before.
        case new
        /// The last one, once more.
        case repeated
        /// Older than the last one: its answer is not waited for any more.
        case stale
        /// Not the next one, though the next one is known: nobody but its front can say how that came about.
        case ahead
    }

    private static let greatestOffer = UInt64(1) << 62
    /// How many numbers a leader leaves out that takes a session up.
    ///
    /// That is more than a lane has offers in the second that a store may lose. A front knows 2²⁰ numbers beyond the first
    /// that has not ended.
    static let passedOverCount: UInt64 = 1 << 14

    let key: LaneKey
    /// As it is stored with the next transaction.
    private(set) var record: LaneRecord
    /// The last batch that was answered, whether it had an effect or not.
    private var lastBatch: UInt64
    /// Its answers; nil when they are only known as the store keeps them.
    private(set) var lastReplies: [LinkReply]?
    private(set) var unsettled: Deque<Offer> = []
    /// Bytes of the jobs in `unsettled` that may still be on the link.
    private(set) var offeredByteCount = 0
    /// The offers up to this number are not on the link any more.
    private var arrived: UInt64 = 0
    var waiting: [UInt64: WaitingFetch] = [:]
    /// The fetches that have to wait until jobs that were handed out before have arrived; some may be answered by now.
    private var heldBack: Deque<WaitingFetch> = []
    /// Commands that take many turns, by their numbers, until the front has their answers.
    var longCommands: [UInt64: LongCommand] = [:]
    /// The greatest number that a command of this lane is known to have had.
    private var greatestRequest: UInt64 = 0
    /// Whether the lane's workers are still to be announced to this leader.
    ///
    /// The batch that was under way when the leader went comes first, and the announcements head the one behind it.
    var awaitsAnnouncements = false
    /// Whether the next batch may be ahead: this leader has not had any since the front attached.
    ///
    /// A record tells of batches that had an effect, and in shared mode its last ones may be lost.
    fileprivate(set) var mayBeAhead = true

    init(key: LaneKey, record: LaneRecord?) {
        self.key = key
        self.record = record ?? LaneRecord(batch: 0, offered: 0, settled: 0, replies: [])
        self.lastBatch = record?.batch ?? 0
    }

    func standing(of batch: UInt64) -> Standing {
        if batch == self.lastBatch { return .repeated }
        guard batch > self.lastBatch else { return .stale }
        let lead = batch - self.lastBatch
        return lead == 1 || (self.mayBeAhead && lead <= SessionBound.batchLead) ? .new : .ahead
    }

    /// A batch has been carried out.
    func finish(_ batch: UInt64, with replies: [LinkReply]) {
        self.lastBatch = batch
        self.lastReplies = replies
        self.mayBeAhead = false
    }

    /// The record for the last batch that was finished; what an earlier leader recorded stays until one was.
    func makeRecord() -> LaneRecord {
        guard let lastReplies = self.lastReplies else { return self.record }
        var writer = LinkWriter(reserving: 64)
        let replies = lastReplies.map { reply -> LinkReply in
            // A job is found again by its jid; its bytes are stored once, in its own record.
            guard case .job(let offer, _) = reply else { return reply }
            return .job(offer: offer, payload: self.jobID(offeredAs: offer))
        }
        LinkReply.encode(replies, into: &writer)
        self.record.batch = self.lastBatch
        self.record.replies = writer.bytes
        return self.record
    }

    /// Notes the number of a command; whether a command of this number may have come before.
    func noteRequest(_ request: UInt64) -> Bool {
        guard request > self.greatestRequest else { return true }
        self.greatestRequest = request
        return false
    }

    /// Lets a fetch wait until there is room.
    func holdBack(_ fetch: WaitingFetch) {
        self.heldBack.append(fetch)
        // Those that were answered meanwhile are dropped before they outnumber the others.
        if self.heldBack.count > 64, self.heldBack.count > 2 * self.waiting.count {
            self.heldBack.removeAll(where: \.isAnswered)
        }
    }

    /// The fetch that has waited longest for room.
    func nextHeldBack() -> WaitingFetch? {
        while let fetch = self.heldBack.popFirst() {
            if !fetch.isAnswered { return fetch }
        }
        return nil
    }

    func forgetHeldBack() {
        self.heldBack = []
    }

    /// Leaves out the numbers that an earlier leader may have given in transactions that the store has lost.
    ///
    /// The front has seen them, and would take a job that is offered under one of them for one that it has had.
    func passOverNumbers() {
        self.record.offered = min(self.record.offered + Self.passedOverCount, Self.greatestOffer)
    }

    /// Numbers a job that is handed out now.
    func offer(_ job: Job, for request: UInt64) -> UInt64 {
        self.record.offered += 1
        let byteCount = job.payload.count
        let offer = Offer(number: self.record.offered, request: request, jobID: job.id, byteCount: byteCount)
        self.unsettled.append(offer)
        self.offeredByteCount += byteCount
        return self.record.offered
    }

    /// An offer that an earlier leader made and that was not settled then.
    func restore(_ offer: Offer) {
        self.unsettled.append(offer)
        self.offeredByteCount += offer.byteCount
        self.greatestRequest = max(self.greatestRequest, offer.request)
        self.record.offered = max(self.record.offered, offer.number)
    }

    /// Puts restored offers into the order of their numbers.
    func sortRestored() {
        self.unsettled.sort { $0.number < $1.number }
    }

    /// Every offer up to this number has arrived or was withdrawn; whether that is news.
    ///
    func settle(through number: UInt64) -> Bool {
        while let first = self.unsettled.first, first.number <= number {
            self.unsettled.removeFirst()
            self.uncount(first)
        }
        guard number > self.record.settled else { return false }
        // No lane ever gets so far; the next number has to be one.
        let known = min(number, Self.greatestOffer)
        self.record.settled = known
        self.record.offered = max(self.record.offered, known)
        return true
    }

    /// Jobs were written to their clients though an earlier one was not: their offers, which are not on their way any more.
    func takeWritten(_ numbers: [UInt64]) -> [Offer] {
        numbers.compactMap { number in
            guard let index = self.index(of: number) else { return nil }
            let offer = self.unsettled.remove(at: index)
            self.uncount(offer)
            return offer
        }
    }

    /// The offers up to this number do not use the link any more, though they have not ended.
    func arrive(through number: UInt64) {
        guard number > self.arrived else { return }
        for offer in self.unsettled where offer.number <= number { self.uncount(offer) }
        self.arrived = number
    }

    private func uncount(_ offer: Offer) {
        if offer.number > self.arrived { self.offeredByteCount -= offer.byteCount }
    }

    /// Where the offer of this number stands.
    private func index(of number: UInt64) -> Int? {
        var (low, high) = (0, self.unsettled.count)
        while low < high {
            let middle = (low + high) / 2
            if self.unsettled[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < self.unsettled.count && self.unsettled[low].number == number ? low : nil
    }

    /// The unsettled offer that answers this fetch.
    func unsettledOffer(for request: UInt64) -> Offer? {
        self.unsettled.last { $0.request == request }
    }

    private func jobID(offeredAs number: UInt64) -> [UInt8] {
        guard let index = self.index(of: number) else { return [] }
        return Array(self.unsettled[index].jobID.text.utf8)
    }
}
