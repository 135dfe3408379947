import Election
import ElectionEtcd
import Glibc
import JobCore
import Manager

/// `millrace cluster members`: etcd's list of members beside that of the settings, and the step from the one to the other.
struct MembersCommand {
    /// How long etcd may take for an answer, of one endpoint and of all of them.
    private static let etcdPatience = (attempt: Duration.seconds(2), call: Duration.seconds(6))
    /// How long a cluster that cannot be changed yet is waited for, as after a change of leader.
    private static let readinessBound = Duration.seconds(10)
    /// How long a leader under the new list is waited for: its managers start anew, and one is elected.
    private static let leaderBound = Duration.seconds(30)
    private static let look = Duration.milliseconds(200)

    private static let nextSteps = """
        Managers end now and are started again by millrace host, with the list that the settings have then.
        Restart millrace host on each host in turn, and every front and scheduler elsewhere: they hold the old list.

        """

    let settings: Settings

    /// - Parameter isChanging: whether the list of the settings is to be etcd's.
    func run(isChanging: Bool) async throws -> Int32 {
        let cluster = self.settings.cluster
        let configuration = try cluster.etcdConfiguration(
            attemptTimeout: Self.etcdPatience.attempt,
            callTimeout: Self.etcdPatience.call
        )
        let names = try ElectionKeys(cluster: cluster.name)
        return try await EtcdClient.withClient(configuration, uptime: Clocks.system.uptime) { client in
            let list = EtcdMemberList(client: client, keys: names)
            guard let reading = try await list.read() else {
                return Self.fail("etcd has no list of members yet; the first member that starts writes it")
            }
            guard isChanging else { return self.show(reading) }
            return try await self.change(list, reading)
        }
    }

    private var ownList: String { MemberChange.text(of: self.settings.cluster.members) }

    private func show(_ reading: EtcdMemberList.Reading) -> Int32 {
        let agrees = reading.text == self.ownList
        print("in etcd             \(reading.text)")
        print("in these settings   \(self.ownList)")
        print(agrees ? "They agree." : "They differ: a manager with these settings does not take part.")
        return agrees ? 0 : 1
    }

    private func change(_ list: EtcdMemberList, _ found: EtcdMemberList.Reading) async throws -> Int32 {
        guard let old = MemberChange.members(in: found.text) else {
            return Self.fail("etcd has a list that no member can have written: \(found.text)")
        }
        let change: MemberChange
        do throws(MemberChange.Refusal) {
            guard let step = try MemberChange(from: old, to: self.settings.cluster.members) else {
                print("etcd has this list already: \(found.text)")
                return 0
            }
            change = step
        } catch {
            return Self.fail("the list stays as it is: \(error)")
        }
        let end = ContinuousClock.now + Self.readinessBound
        var reading = found
        var refusal = await self.refusal(of: change, reading)
        while let reason = refusal {
            guard ContinuousClock.now < end else { return Self.fail("the list stays as it is: \(reason)") }
            try await Task.sleep(for: Self.look)
            guard let next = try await list.read(), next.revision == reading.revision else { return Self.outrun }
            reading = next
            refusal = await self.refusal(of: change, reading)
        }
        guard try await list.replace(reading, with: self.ownList) else { return Self.outrun }
        print("\(change): \(self.ownList)")
        print(Self.nextSteps, terminator: "")
        // The rest takes a while, and who reads this through a pipe has something to do meanwhile.
        fflush(nil)
        return try await self.awaitLeader(list)
    }

    private func refusal(of change: MemberChange, _ reading: EtcdMemberList.Reading) async -> MemberChange.Refusal? {
        let report = await self.report(of: change.common)
        do throws(MemberChange.Refusal) {
            try change.check(reading, report, sharesStore: self.sharesStore)
            return nil
        } catch {
            return error
        }
    }

    /// Waits for a leader that was elected under the list of the settings, and says who it is.
    private func awaitLeader(_ list: EtcdMemberList) async throws -> Int32 {
        let deadline = ContinuousClock.now + Self.leaderBound
        while ContinuousClock.now < deadline {
            // etcd may be away for a moment; the change is made, whatever comes of this.
            if let reading = try? await list.read(), reading.text == self.ownList, let leader = reading.leaderOfList {
                let report = await self.report(of: self.settings.cluster.members)
                if report.leader == leader.member.number, report.epoch == leader.epoch.number {
                    print("member \(leader.member.number) leads in epoch \(leader.epoch.number)")
                    return 0
                }
            }
            try await Task.sleep(for: Self.look)
        }
        return Self.fail(
            "the list is changed, and no member leads under it yet: a majority of hosts must have it in their settings"
        )
    }

    private func report(of members: [ClusterSection.Member]) async -> ClusterReport {
        var cluster = self.settings.cluster
        cluster.members = members
        // The keys were read before; should one be gone since, nobody answers.
        let answers = await (try? MemberInquiry(cluster, sharesStore: self.sharesStore))?.statuses() ?? []
        return ClusterReport(
            cluster: cluster.name,
            sharesStore: self.sharesStore,
            answers.map { (number: $0.member.number, host: $0.member.host, status: $0.status) }
        )
    }

    private var sharesStore: Bool { self.settings.mode == .shared }

    private static var outrun: Int32 {
        Self.fail("the list or the leader changed meanwhile; look again with millrace cluster members")
    }

    private static func fail(_ text: String) -> Int32 {
        MillraceCommand.complain("millrace cluster: \(text)")
        return 1
    }
}
