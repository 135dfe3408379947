import JobCore

/// A sorted set of jobs: lowest score first, equal scores in the order of the names' bytes.
struct SortedJobSet {
    private struct Member {
        var score: SetScore
        var jobID: JobID

        func isBefore(_ other: Member) -> Bool {
            if self.score != other.score { return self.score < other.score }
            return self.jobID.text.utf8.lexicographicallyPrecedes(other.jobID.text.utf8)
        }
    }

    private var scores: [JobID: SetScore] = [:]
    private var members: [Member] = []

    var count: Int { self.members.count }

    func score(of job: JobID) -> WallTime? {
        self.scores[job]?.time
    }

    /// A job joins the set or moves in it; without a time it leaves.
    mutating func move(_ job: JobID, to time: WallTime?) {
        if let score = self.scores.removeValue(forKey: job) {
            self.members.remove(at: self.position(of: Member(score: score, jobID: job)))
        }
        guard let time else { return }
        let member = Member(score: SetScore(time), jobID: job)
        self.members.insert(member, at: self.position(of: member))
        self.scores[job] = member.score
    }

    /// Up to `count` members, beginning at the rank `offset`, that are not beyond `limit`.
    func page(from offset: Int, count: Int, until limit: WallTime? = nil) -> [SetMember] {
        guard offset >= 0, offset < self.members.count, count > 0 else { return [] }
        let members = self.members[offset...].prefix(count)
        let greatest = limit.map { SetScore($0) }
        return members.prefix { member in greatest.map { member.score <= $0 } ?? true }
            .map { SetMember(jobID: $0.jobID, score: $0.score.time) }
    }

    /// Where the member stands, or would stand.
    private func position(of member: Member) -> Int {
        var low = 0
        var high = self.members.count
        while low < high {
            let middle = (low + high) / 2
            if self.members[middle].isBefore(member) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
