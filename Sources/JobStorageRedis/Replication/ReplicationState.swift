/// A replica as its primary sees it.
package struct ConnectedReplica: Hashable, Sendable {
    package var address: RedisAddress
    /// Whether it has the whole data set and takes part in the stream.
    package var isOnline: Bool
    /// How much of the stream it has said that it has.
    package var acknowledgedOffset: UInt64
    /// How long ago it said so, in whole seconds; nil if it has said nothing yet.
    package var silence: Duration?

    package init(address: RedisAddress, isOnline: Bool, acknowledgedOffset: UInt64, silence: Duration?) {
        self.address = address
        self.isOnline = isOnline
        self.acknowledgedOffset = acknowledgedOffset
        self.silence = silence
    }
}

/// What a Redis says about itself as a part of a replicated whole.
package struct ReplicationState: Hashable, Sendable {
    package enum Role: Hashable, Sendable {
        case primary
        case replica(of: RedisAddress)
    }

    package var role: Role
    /// Whether the stream from the primary flows; false on a primary.
    package var isLinkUp: Bool
    /// Whether it is reading a data set from its disk.
    package var isLoading: Bool
    /// Whether it is being sent a whole data set.
    package var isReceivingDataSet: Bool
    /// Whether its append-only file is being written anew, is about to be, or could not be when that was tried last.
    ///
    /// After a whole data set was received, the file on disk holds the older one until this is done.
    package var isRewritingLog: Bool
    /// How much of the stream it has written or taken in; it means nothing after a restart.
    package var offset: UInt64
    package var replicas: [ConnectedReplica]

    /// Whether it has no complete data set to serve at the moment.
    package var isSynchronizing: Bool { self.isLoading || self.isReceivingDataSet }

    /// The members among the replicas that are online and said within this time that they are at least so far.
    ///
    /// A member counts once, however many connections it has.
    package func replicas(
        among members: Set<RedisAddress>,
        atLeastAt offset: UInt64 = 0,
        heardWithin silence: Duration
    ) -> Set<RedisAddress> {
        let counted = self.replicas.filter { replica in
            guard replica.isOnline, let heard = replica.silence else { return false }
            return heard <= silence && replica.acknowledgedOffset >= offset
        }
        return Set(counted.map(\.address)).intersection(members)
    }
}

extension ReplicationState {
    /// Reads the sections `replication` and `persistence`; nil if they do not tell what they must.
    init?(_ information: InfoText) {
        switch information["role"] {
        case "master":
            self.role = .primary
        case "slave":
            guard let host = information["master_host"], let port = information.number("master_port") else {
                return nil
            }
            self.role = .replica(of: RedisAddress(host: String(host), port: Int(clamping: port)))
        default:
            return nil
        }
        let taken = information.number("slave_repl_offset") ?? information.number("master_repl_offset")
        guard let taken else { return nil }
        self.isLinkUp = information["master_link_status"] == "up"
        self.isLoading = information.flag("loading") || information.flag("async_loading")
        self.isReceivingDataSet = information.flag("master_sync_in_progress")
        self.isRewritingLog =
            information.flag("aof_rewrite_in_progress") || information.flag("aof_rewrite_scheduled")
            || information["aof_last_bgrewrite_status"] != "ok"
        self.offset = taken
        self.replicas = information.replicas
    }
}
