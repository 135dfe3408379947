import ClusterLink
import JobCore

extension MessageFromLeader {
    private static let session = MessageToLeader.session
    private static let lane = LaneKey(session: MessageToLeader.session, lane: 0x2122)

    /// One message of every kind, with every reply that there is.
    static let samples: [Sample<MessageFromLeader>] = [
        Sample("attached", .attached(Self.session, epoch: Epoch(77))),
        Sample("attach-first", .attachFirst(Self.session)),
        Sample("expired", .expired(Self.session)),
        Sample("replies", .replies(Self.lane, batch: 0x31, Self.replies)),
        Sample("replies-none", .replies(Self.lane, batch: 0x31, [])),
        Sample(
            "late",
            .late(Self.lane, Self.replies.enumerated().map { LateReply(request: UInt64($0.offset), reply: $0.element) })
        ),
        Sample("drop-workers", .dropWorkers(Self.session, ["w1", "w2"])),
        Sample("alive", .alive(Self.session, epoch: Epoch(77))),
        Sample("tick-done", .tickDone(.purge, number: 300, count: 12)),
    ]

    static let replies: [LinkReply] = [
        .nothing, .ok, .error("ERR no"), .bulk(Array("{}".utf8)), .null,
        .job(offer: 5, payload: Array(#"{"jid":"12345678"}"#.utf8)), .parked, .deferred,
    ]
}
