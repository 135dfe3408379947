import ClusterLink
import ClusterLinkZeroMQ
import Election
import Foundation
import Synchronization
import ZeroMQ

/// Asks members for what they say of themselves, over the port on which they talk to each other.
struct MemberInquiry {
    /// How long a member has to answer.
    static let patience = Duration.milliseconds(1_500)

    /// Whether all members use one Redis.
    let sharesStore: Bool
    private let cluster: ClusterSection
    private let keys: LinkKeys?
    private let context: ZeroMQContext

    init(_ cluster: ClusterSection, sharesStore: Bool) throws {
        self.cluster = cluster
        self.keys = try LinkKeys(cluster)
        try self.keys?.require(.member)
        self.sharesStore = sharesStore
        self.context = try ZeroMQContext()
    }

    /// What each member answers, in the order of the list; nil for one that does not in time.
    func statuses() async -> [(member: ClusterSection.Member, status: MemberStatus?)] {
        await withTaskGroup(of: (Int, MemberStatus?).self) { group in
            for (index, member) in self.cluster.members.enumerated() {
                group.addTask { (index, await self.ask(member, .status)) }
            }
            var answers = self.cluster.members.map { (member: $0, status: MemberStatus?.none) }
            for await (index, status) in group { answers[index].status = status }
            return answers
        }
    }

    /// What one member answers to a request; nil when it does not in time.
    func ask(_ member: ClusterSection.Member, _ request: MemberRequest) async -> MemberStatus? {
        guard let link = try? self.makeLink(to: member) else { return nil }
        let (answers, inbox) = AsyncStream.makeStream(of: MemberStatus.self, bufferingPolicy: .bufferingOldest(1))
        let isListening =
            (try? link.start { bytes in
                if let status = try? JSONDecoder().decode(MemberStatus.self, from: Data(bytes)) { inbox.yield(status) }
            }) != nil
        guard isListening else { return nil }
        defer { link.close() }
        link.send(request.encoded())
        return await withTaskGroup(of: MemberStatus?.self) { group in
            group.addTask { await answers.first { _ in true } }
            group.addTask {
                // Woken early, the answer is there.
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func makeLink(to member: ClusterSection.Member) throws -> ZeroMQPeerLink {
        try ZeroMQPeerLink(
            endpoint: "tcp://\(member.host):\(self.cluster.peerPort)",
            in: self.context,
            security: try self.keys?.connecting(to: member)
        )
    }
}
