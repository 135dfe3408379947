import Election
import Foundation
import JobCore

/// `millrace cluster`: what the members of a cluster say of themselves, and which of them leads.
struct ClusterCommand {
    /// How long a member that could take over is waited for.
    private static let readinessBound = Duration.seconds(10)
    /// How long another member may take to lead after it was asked for.
    private static let transferBound = Duration.seconds(10)
    /// How long a member that recovers looks for the others: a cut, and a few tries to win the key.
    private static let recoveryBound = Duration.seconds(10)
    private static let look = Duration.milliseconds(200)

    private static let help = """
        millrace cluster status [--json] [flags]
        millrace cluster transfer [MEMBER] [flags]
        millrace cluster drain MEMBER [flags]
        millrace cluster recover [--accept-loss] [flags]
        millrace cluster members [change] [flags]

          status     show the members, who leads, who votes, and how far each copy is
          transfer   let another member lead, once it has everything: this one, or the one that is best;
                     waits up to 10 s for that
          drain      make sure that a member does not lead, before it is stopped; waits as transfer does
          recover    show how far the members are when too few of them have a vote to elect a leader;
                     with --accept-loss the best of those that answer leads, and what only others have is lost
          members    show etcd's list of members beside that of the settings; with change the latter becomes etcd's,
                     if a member serves and they differ by one that was added, removed, or has another address.
                     Put the new list into the settings of all hosts first

        The flags that say where the settings are (-c, --config, -e, --set) are those of every command.

        """

    /// - Returns: the exit code: 0 when it is as it was asked to be, 1 when not, 2 for a command line without sense.
    func run(_ arguments: [String]) async -> Int32 {
        guard let name = arguments.first, !["-h", "--help"].contains(name) else {
            print(Self.help, terminator: "")
            return arguments.isEmpty ? 2 : 0
        }
        do {
            let request = try Request(name: name, Array(arguments.dropFirst()))
            let options = try CommandLine.parse(request.flags).options
            let loaded = try SettingsLoader(
                options: options,
                variables: ProcessInfo.processInfo.environment,
                needsPassword: false,
                // Only these ask etcd, and need its password.
                isMember: request.action.asksEtcd
            ).load()
            guard loaded.settings.mode.hasMembers else {
                throw UsageError("cluster needs mode = \"replicated\" or mode = \"shared\" in the settings")
            }
            if case .recover = request.action, loaded.settings.mode == .shared {
                throw UsageError("there is nothing to recover in shared mode: each manager may lead, and has no data")
            }
            return try await self.carryOut(request, in: loaded.settings)
        } catch let error as UsageError {
            MillraceCommand.complain("millrace cluster: \(error.message)\nTry: millrace cluster --help")
            return error.exitCode
        } catch let error as SettingsError {
            for message in error.messages { MillraceCommand.complain("millrace: \(message)") }
            return 1
        } catch {
            MillraceCommand.complain("millrace cluster: \(error)")
            return 1
        }
    }

    private func carryOut(_ request: Request, in settings: Settings) async throws -> Int32 {
        // With keys, this makes sure that there is one of each member of the list.
        let inquiry = try MemberInquiry(settings.cluster, sharesStore: settings.mode == .shared)
        let cluster = settings.cluster
        switch request.action {
        case .status(let asJSON):
            let report = await Self.report(cluster, inquiry)
            print(asJSON ? try Self.json(report) : report.text, terminator: "")
            return report.isServing ? 0 : 1
        case .transfer(let number): return await self.transfer(to: number, from: nil, in: cluster, inquiry)
        case .drain(let number): return await self.transfer(to: nil, from: number, in: cluster, inquiry)
        case .recover(let acceptLoss): return await self.recover(acceptLoss: acceptLoss, in: cluster, inquiry)
        case .members(let isChanging): return try await MembersCommand(settings: settings).run(isChanging: isChanging)
        }
    }

    // MARK: Who leads

    /// Lets another member lead, and waits until it does.
    ///
    /// - Parameter from: nothing is done unless this member leads.
    private func transfer(
        to wanted: UInt8?,
        from: UInt8?,
        in cluster: ClusterSection,
        _ inquiry: MemberInquiry
    ) async -> Int32 {
        let known = cluster.members.map(\.number)
        if let unknown = [wanted, from].compactMap({ $0 }).first(where: { !known.contains($0) }) {
            return Self.fail("there is no member \(unknown)")
        }
        let report = await Self.reportWhenReady(to: wanted, from: from, in: cluster, inquiry)
        guard let number = report.leader, let leader = cluster.members.first(where: { $0.number == number }) else {
            return Self.fail("no member leads, so that nobody can hand over")
        }
        if let from, from != number { return Self.succeed("member \(from) does not lead") }
        if wanted == number { return Self.succeed("member \(number) leads already") }
        guard let successor = report.successor(wanted) else {
            return Self.fail("member \(number) goes on leading: \(report.obstacles(wanted))")
        }
        guard await inquiry.ask(leader, .handOver(to: MemberID(successor))) != nil else {
            return Self.fail("member \(number) does not answer")
        }
        let deadline = ContinuousClock.now + Self.transferBound
        while ContinuousClock.now < deadline {
            let report = await Self.report(cluster, inquiry)
            if let now = report.leader, now == successor || (wanted == nil && now != number) {
                return Self.succeed("member \(now) leads in epoch \(report.epoch ?? 0)")
            }
            try? await Task.sleep(for: Self.look)
        }
        return Self.fail("member \(successor) did not take over in time; millrace cluster status shows who leads")
    }

    /// The report, once there is nothing to be done or somebody who can take over; the last one when the time is over.
    ///
    /// For some seconds after a change of leader no other member has everything.
    private static func reportWhenReady(
        to wanted: UInt8?,
        from: UInt8?,
        in cluster: ClusterSection,
        _ inquiry: MemberInquiry
    ) async -> ClusterReport {
        let end = ContinuousClock.now + Self.readinessBound
        while true {
            let report = await Self.report(cluster, inquiry)
            if let leader = report.leader {
                let isDone = from.map { $0 != leader } ?? (wanted == leader)
                if isDone || report.successor(wanted) != nil { return report }
            }
            guard ContinuousClock.now < end else { return report }
            try? await Task.sleep(for: Self.look)
        }
    }

    // MARK: Recovery

    /// Asks every member that answers to look for the others, and shows what was found.
    private func recover(acceptLoss: Bool, in cluster: ClusterSection, _ inquiry: MemberInquiry) async -> Int32 {
        let report = await Self.report(cluster, inquiry)
        print(report.text)
        if report.isServing { return Self.succeed("nothing is to be recovered") }
        for member in cluster.members
        where report.members.contains(where: { $0.number == member.number && $0.status != nil }) {
            _ = await inquiry.ask(member, .recover(acceptLoss: acceptLoss))
        }
        let deadline = ContinuousClock.now + Self.recoveryBound
        while ContinuousClock.now < deadline {
            let report = await Self.report(cluster, inquiry)
            if let leader = report.leader {
                return Self.succeed("member \(leader) leads in epoch \(report.epoch ?? 0)")
            }
            let findings = report.members.compactMap(\.status).flatMap(\.findings)
            if !acceptLoss, !findings.isEmpty {
                print(Self.text(of: findings))
                return 1
            }
            try? await Task.sleep(for: Self.look)
        }
        return Self.fail(
            acceptLoss ? "no member could lead; see its log" : "no member could ask the others; see its log"
        )
    }

    /// What the members that were asked have, the one that would lead first.
    private static func text(of findings: [MemberStatus.Finding]) -> String {
        var best: [UInt8: MemberStatus.Finding] = [:]
        for finding in findings { best[finding.member] = finding }
        let sorted = best.values.sorted {
            ($0.position.epoch, $0.position.sequence, $1.member) > ($1.position.epoch, $1.position.sequence, $0.member)
        }
        let lines = sorted.map { finding in
            let vote = finding.isVoter ? "" : ", and cannot vouch for it"
            return "member \(finding.member) has epoch \(finding.position.epoch), "
                + "sequence \(finding.position.sequence)\(vote)"
        }
        return (lines + ["With --accept-loss the first of them leads; what only a missing member has is lost."])
            .joined(separator: "\n")
    }

    // MARK: What is printed

    private static func report(_ cluster: ClusterSection, _ inquiry: MemberInquiry) async -> ClusterReport {
        let answers = await inquiry.statuses()
        return ClusterReport(
            cluster: cluster.name,
            sharesStore: inquiry.sharesStore,
            answers.map { (number: $0.member.number, host: $0.member.host, status: $0.status) }
        )
    }

    private static func json(_ report: ClusterReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }

    private static func succeed(_ text: String) -> Int32 {
        print(text)
        return 0
    }

    private static func fail(_ text: String) -> Int32 {
        MillraceCommand.complain("millrace cluster: \(text)")
        return 1
    }
}

extension ClusterCommand {
    /// What the command line asks for.
    struct Request {
        enum Action: Equatable {
            case status(asJSON: Bool)
            case transfer(to: UInt8?)
            case drain(UInt8)
            case recover(acceptLoss: Bool)
            case members(isChanging: Bool)

            var asksEtcd: Bool { if case .members = self { true } else { false } }
        }

        let action: Action
        /// The flags for the settings, unread.
        let flags: [String]

        init(name: String, _ arguments: [String]) throws(UsageError) {
            var rest = arguments
            func take(_ flag: String) -> Bool {
                let count = rest.count
                rest.removeAll { $0 == flag }
                return rest.count < count
            }
            func takeMember() throws(UsageError) -> UInt8? {
                guard let text = rest.first, !text.hasPrefix("-") else { return nil }
                guard let number = UInt8(text), ClusterSection.numberRange.contains(Int(number)) else {
                    throw UsageError("\(text) is not the number of a member")
                }
                rest.removeFirst()
                return number
            }
            switch name {
            case "status": self.action = .status(asJSON: take("--json"))
            case "transfer": self.action = .transfer(to: try takeMember())
            case "drain":
                guard let number = try takeMember() else { throw UsageError("drain needs the number of a member") }
                self.action = .drain(number)
            case "members": self.action = .members(isChanging: take("change"))
            case "recover": self.action = .recover(acceptLoss: take("--accept-loss"))
            default:
                let known = ["status", "transfer", "drain", "recover", "members"]
                throw UsageError("unknown command \(name)\(Suggestion.hint(for: name, among: known))")
            }
            self.flags = rest
        }
    }
}
