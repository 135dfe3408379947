package import Election
import JobCore

/// The list of the members of a cluster in etcd, for whoever changes it.
///
/// A list may be followed by one that differs in a single member, for these reasons:
///
/// - Any majority of the one and any of the other have a host in common. That is so for a member that is added or
///   removed because of the counts; and for one whose address changed because the new host is empty and has no vote, so
///   that the first leader under the new list needs a majority of the hosts that are in both, or is the one of them that
///   served last and has everything.
/// - Each epoch belongs to the list at whose time its leader key was created: ``EtcdLeaderRegister`` wins no bid unless
///   the list is still its own.
/// - The change takes the leader key away. So nobody follows the former leader any more, above all not a new member, which
///   gets its copy, and with it its vote, only from a leader of the new list. The former leader may go on until it hears
///   of the change; it needs a majority of its list for whatever it acknowledges, of which a host is cut off from it
///   before the next one leads.
/// - The next leader brings all that it has to a majority of the new list before it serves. Only then is the list changed
///   again, so that nothing is left that is known to a majority of some older list alone.
package struct EtcdMemberList: Sendable {
    /// The list and who leads, as they were at one moment.
    package struct Reading: Sendable, Equatable {
        /// The list as members write it, such as `1@a,2@b,3@c`.
        package var text: String
        /// The revision at which it was put.
        package var revision: UInt64
        /// Who holds the leader key.
        package var leader: ClusterState.Holder?
        /// The revision at which the leader key was created; 0 when nobody holds it.
        package var leaderRevision: UInt64

        package init(text: String, revision: UInt64, leader: ClusterState.Holder?, leaderRevision: UInt64) {
            self.text = text
            self.revision = revision
            self.leader = leader
            self.leaderRevision = leaderRevision
        }

        /// Who holds the leader key since the list is what it is.
        package var leaderOfList: ClusterState.Holder? { self.leaderRevision > self.revision ? self.leader : nil }
    }

    private let client: EtcdClient
    private let keys: ElectionKeys

    package init(client: EtcdClient, keys: ElectionKeys) {
        self.client = client
        self.keys = keys
    }

    /// What etcd has; nil as long as no member has started.
    package func read() async throws(EtcdError) -> Reading? {
        let snapshot = try await self.client.get(prefix: self.keys.prefix)
        guard let list = snapshot.entries[self.keys.membership] else { return nil }
        return Reading(
            text: list.text,
            revision: list.modRevision,
            leader: ClusterState(snapshot, keys: self.keys).leader,
            leaderRevision: snapshot.entries[self.keys.leader]?.createRevision ?? 0
        )
    }

    /// Puts another list in the place of the one that was read, and lets a leader be elected under it.
    ///
    /// The caller has made sure that the lists differ in one member, and that the leader that was read serves.
    ///
    /// - Returns: whether etcd has that list now; false when the list or the leader was another one meanwhile, or when the
    ///   leader was not elected under the list that was read.
    package func replace(_ reading: Reading, with text: String) async throws(EtcdError) -> Bool {
        guard reading.leaderOfList != nil else { return false }
        let isDone = try await self.client.transact(
            if: [
                .wasPut(self.keys.membership, at: reading.revision),
                .wasCreated(self.keys.leader, at: reading.leaderRevision),
            ],
            [
                .put(self.keys.membership, Array(text.utf8)), .delete(self.keys.leader), .delete(self.keys.prefer),
            ]
        )
        if isDone { return true }
        // It may have been done by the same transaction, whose answer was lost.
        return try await self.read()?.text == text
    }
}
