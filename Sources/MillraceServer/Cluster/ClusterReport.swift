package import Election

/// What an operator is told of a cluster: a line for each member.
package struct ClusterReport: Encodable, Sendable {
    /// One member, as far as it answered.
    package struct Row: Encodable, Sendable {
        package var number: UInt8
        package var host: String
        /// `leader`, `follower`, `behind` while its copy is not up to date, `without store`, or `unreachable`.
        package var role: String
        /// How many transactions its copy lacks; nil when that is not known.
        package var lag: UInt64?
        package var status: MemberStatus?

        /// Whether it has a vote that it could give, which takes a Redis that answers; nil for one that is unreachable.
        package var hasVote: Bool? { self.status.map { $0.isVoter && $0.store != nil } }
    }

    package var cluster: String
    /// The number of the member that leads and serves.
    package var leader: UInt8?
    package var epoch: UInt64?
    /// How many members answered and have a vote.
    package var voterCount: Int
    /// How many of those it takes to have a leader.
    package var neededVoterCount: Int
    package var members: [Row]
    /// What the members know to be wrong with etcd, in words; each once.
    package var etcd: [String]

    /// - Parameters:
    ///   - sharesStore: whether all members use one Redis, so that each of them may lead.
    ///   - answers: what each member answered; nil for one that did not.
    package init(
        cluster: String,
        sharesStore: Bool = false,
        _ answers: [(number: UInt8, host: String, status: MemberStatus?)]
    ) {
        let serving = answers.compactMap(\.status).filter(\.isServing)
        // One that was cut off may still believe that it leads; the later one is right.
        let leader = serving.max { ($0.leader?.epoch ?? 0) < ($1.leader?.epoch ?? 0) }
        let goal = leader?.store?.position
        self.cluster = cluster
        self.leader = leader?.member
        self.epoch = leader?.leader?.epoch
        self.neededVoterCount = sharesStore ? 1 : answers.count / 2 + 1
        self.members = answers.map { answer in
            Row(
                number: answer.number,
                host: answer.host,
                role: Self.role(of: answer.status, leader: leader?.member),
                lag: Self.lag(of: answer.status?.store?.position, behind: goal),
                status: answer.status
            )
        }
        self.voterCount = self.members.count { $0.hasVote ?? false }
        self.etcd = answers.flatMap { $0.status?.etcd ?? [] }.reduce(into: []) { known, trouble in
            if !known.contains(trouble) { known.append(trouble) }
        }
    }

    /// Whether the cluster takes jobs.
    package var isServing: Bool { self.leader != nil }

    /// Who could take over from the leader now: the member that is wanted, or the one whose copy lacks least.
    package func successor(_ wanted: UInt8?) -> UInt8? {
        let ready = self.members.filter { row in
            row.number != self.leader && Self.lack(of: row) == nil && (wanted.map { $0 == row.number } ?? true)
        }
        return ready.min { ($0.lag ?? .max, $0.number) < ($1.lag ?? .max, $1.number) }?.number
    }

    /// What keeps the member that is wanted, or each member that does not lead, from taking over; in words.
    package func obstacles(_ wanted: UInt8?) -> String {
        self.members.filter { $0.number != self.leader && (wanted == nil || wanted == $0.number) }
            .compactMap { row in Self.lack(of: row).map { "member \(row.number) \($0)" } }
            .joined(separator: ", ")
    }

    /// Why a member cannot take over; nil when it can.
    private static func lack(of row: Row) -> String? {
        switch row.role {
        case "unreachable": "does not answer"
        case "without store": "has no Redis that answers"
        case "behind": "takes in a copy"
        default: row.hasVote ?? false ? nil : "does not have everything on its disk yet"
        }
    }

    private static func role(of status: MemberStatus?, leader: UInt8?) -> String {
        guard let status else { return "unreachable" }
        guard let store = status.store else { return "without store" }
        if status.member == leader { return "leader" }
        return store.isLinkUp && !store.isSynchronizing ? "follower" : "behind"
    }

    /// A copy of another epoch may have what the leader's has not, so that nothing can be counted.
    private static func lag(of position: MemberStatus.DataPosition?, behind goal: MemberStatus.DataPosition?) -> UInt64?
    {
        guard let position, let goal, position.epoch == goal.epoch else { return nil }
        return goal.sequence > position.sequence ? goal.sequence - position.sequence : 0
    }

    /// Why nobody can lead, if it is that.
    private var shortage: String {
        guard self.voterCount < self.neededVoterCount else { return "" }
        let count = "\(self.voterCount) of \(self.members.count)"
        return ", since \(count) have a vote and \(self.neededVoterCount) must have one"
    }

    /// The report as a table with a heading.
    package var text: String {
        let heading =
            self.leader.map { "cluster \(self.cluster): member \($0) leads in epoch \(self.epoch ?? 0)" }
            ?? "cluster \(self.cluster): no member leads\(self.shortage)"
        let rows =
            [["MEMBER", "HOST", "ROLE", "VOTE", "EPOCH", "SEQUENCE", "LAG"]]
            + self.members.map { row in
                let position = row.status?.store?.position
                return [
                    "\(row.number)", row.host, row.role, row.hasVote.map { $0 ? "yes" : "no" } ?? "-",
                    position.map { "\($0.epoch)" } ?? "-", position.map { "\($0.sequence)" } ?? "-",
                    row.lag.map { "\($0)" } ?? "-",
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }
                .joined(separator: "  ")
        }
        let table = [heading, ""] + lines.map { $0.replacing(/\ +$/, with: "") }
        let troubles = self.etcd.isEmpty ? [] : [""] + self.etcd
        return (table + troubles).joined(separator: "\n") + "\n"
    }
}
