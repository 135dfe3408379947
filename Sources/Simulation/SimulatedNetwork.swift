import JobCore

/// What can reach what, and how long it takes.
struct SimulatedNetwork {
    private let memberCount: Int
    /// For each pair, whether messages between managers are cut in this direction.
    private var isPeerCut: [Bool]
    /// For each pair, whether the stream between the Redis is cut in this direction.
    private var isStreamCut: [Bool]
    private(set) var isEtcdCut: [Bool]
    /// Chances in a thousand of one message.
    let lossChance: Int
    let duplicationChance: Int
    let delayChance: Int

    init(memberCount: Int, using generator: inout SeededGenerator) {
        self.memberCount = memberCount
        self.isPeerCut = Array(repeating: false, count: memberCount * memberCount)
        self.isStreamCut = self.isPeerCut
        self.isEtcdCut = Array(repeating: false, count: memberCount)
        self.lossChance = generator.number(below: 4) == 0 ? generator.number(below: 200) : 0
        self.duplicationChance = generator.number(below: 4) == 0 ? generator.number(below: 200) : 0
        self.delayChance = generator.number(below: 3) == 0 ? generator.number(below: 150) : 5
    }

    func carriesMessages(from sender: Int, to receiver: Int) -> Bool {
        !self.isPeerCut[sender * self.memberCount + receiver]
    }

    func carriesStream(from sender: Int, to receiver: Int) -> Bool {
        !self.isStreamCut[sender * self.memberCount + receiver]
    }

    mutating func cutMessages(from sender: Int, to receiver: Int) {
        self.isPeerCut[sender * self.memberCount + receiver] = true
    }

    mutating func cutStream(from sender: Int, to receiver: Int) {
        self.isStreamCut[sender * self.memberCount + receiver] = true
    }

    mutating func cutEtcd(from member: Int) {
        self.isEtcdCut[member] = true
    }

    /// Cuts a member from everything, in one direction or both.
    mutating func isolate(_ member: Int, incoming: Bool, outgoing: Bool) {
        for other in 0..<self.memberCount where other != member {
            if outgoing {
                self.cutMessages(from: member, to: other)
                self.cutStream(from: member, to: other)
            }
            if incoming {
                self.cutMessages(from: other, to: member)
                self.cutStream(from: other, to: member)
            }
        }
        self.cutEtcd(from: member)
    }

    /// Everything to and from this member gets through again.
    mutating func join(_ member: Int) {
        for other in 0..<self.memberCount {
            for pair in [member * self.memberCount + other, other * self.memberCount + member] {
                self.isPeerCut[pair] = false
                self.isStreamCut[pair] = false
            }
        }
        self.isEtcdCut[member] = false
    }

    /// How long a message takes, in nanoseconds: a fraction of a millisecond, and sometimes very long.
    func latency(using generator: inout SeededGenerator) -> Int64 {
        if generator.happens(perMille: self.delayChance) { return generator.time(from: 5_000_000, to: 600_000_000) }
        return generator.time(from: 100_000, to: 1_000_000)
    }
}
