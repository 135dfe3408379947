import Election
import ElectionEtcd
import JobCore

/// One step from a list of members to the next.
struct MemberChange: Equatable {
    enum Kind: Equatable {
        case added(ClusterSection.Member)
        case removed(ClusterSection.Member)
        /// A number that belongs to another host now, which is empty.
        case moved(ClusterSection.Member, to: ClusterSection.Member)
    }

    /// Why the list is not changed; in words.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    let kind: Kind
    /// The hosts that are in both lists.
    let common: [ClusterSection.Member]
    /// How many of the next list's members it takes to have a leader, with a copy each.
    let quorum: Int

    /// Compares two lists, in whatever order they are.
    ///
    /// - Returns: nil when they are the same.
    init?(from old: [ClusterSection.Member], to new: [ClusterSection.Member]) throws(Refusal) {
        let (gone, come) = (old.filter { !new.contains($0) }, new.filter { !old.contains($0) })
        switch (gone.count, come.count) {
        case (0, 0): return nil
        case (0, 1): self.kind = .added(come[0])
        case (1, 0): self.kind = .removed(gone[0])
        case (1, 1) where gone[0].number == come[0].number: self.kind = .moved(gone[0], to: come[0])
        default:
            throw Refusal(
                description: "the lists differ by more than one member, and members are changed one at a time; "
                    + "etcd has \(Self.text(of: old)), the settings of this host \(Self.text(of: new))"
            )
        }
        self.common = old.filter { new.contains($0) }
        self.quorum = new.count / 2 + 1
    }

    /// Makes sure that nothing that was acknowledged can be lost by the change, and that a member can lead after it.
    ///
    /// - Parameters:
    ///   - reading: what etcd has.
    ///   - report: what the members in both lists say of themselves.
    ///   - sharesStore: whether all members use one Redis, so that each of them may lead.
    func check(_ reading: EtcdMemberList.Reading, _ report: ClusterReport, sharesStore: Bool) throws(Refusal) {
        guard let leader = reading.leader else {
            throw Refusal(description: "no member leads: what was acknowledged has to be with a majority first")
        }
        let number = leader.member.number
        guard reading.leaderOfList != nil else {
            throw Refusal(description: "member \(number) leads since before the last change, nobody under this list")
        }
        guard self.common.contains(where: { $0.number == number }) else {
            throw Refusal(
                description: "member \(number) leads and is the one to be changed: first let another one lead, "
                    + "with millrace cluster drain \(number) --set cluster.members=\(reading.text)"
            )
        }
        guard report.leader == number, report.epoch == leader.epoch.number else {
            throw Refusal(description: "member \(number) does not serve yet, or does not answer")
        }
        // Where too few are left, the new one counts without a vote if all of them answer.
        let needed = sharesStore ? 1 : min(self.quorum, self.common.count)
        guard report.voterCount >= needed else {
            throw Refusal(
                description: "\(report.voterCount) of the members that stay have a vote and answer, "
                    + "and \(needed) must, or nobody could lead"
            )
        }
    }

    /// A list as etcd has it, the same text however a host orders it.
    static func text(of members: [ClusterSection.Member]) -> String {
        members.sorted { $0.number < $1.number }.map(\.description).joined(separator: ",")
    }

    /// Reads a list that etcd has; nil when no member can have written it.
    static func members(in text: String) -> [ClusterSection.Member]? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let members = words.compactMap { ClusterSection.Member(parsing: $0) }
        return members.count == words.count ? members : nil
    }
}

extension MemberChange: CustomStringConvertible {
    var description: String {
        switch self.kind {
        case .added(let member): "member \(member.number) at \(member.host) is added"
        case .removed(let member): "member \(member.number) at \(member.host) is removed"
        case .moved(let old, let new): "member \(new.number) is at \(new.host) instead of \(old.host)"
        }
    }
}
