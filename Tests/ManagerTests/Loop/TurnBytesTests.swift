import ClusterLink
import Election
import JobCore
import JobStorage
import Logging
import Testing

@testable import Manager

@Suite("The bytes of a turn")
struct TurnBytesTests {
    private static let lane = LaneKey(session: SessionID(high: 1, low: 2), lane: 0)

    @Test("beyond the bound leave the messages that are left to the next turn, and all are answered in their order")
    func messagesAreSpreadOverTurns() throws {
        let data = InMemoryJobData()
        let filler = String(repeating: "x", count: 3 << 20)
        let batches = (1...7).map { number -> MessageToLeader in
            let push = LinkCommand.Body.push(QueueMirrorTests.name(number), #""custom":{"filler":"\#(filler)"}"#)
            let command = LinkCommand(request: UInt64(number), push)
            return .batch(CommandBatch(lane: Self.lane, number: UInt64(number), settled: 0, commands: [command]))
        }
        let introduction = FrontIntroduction(session: Self.lane.session, name: "front", software: "test", isNew: true)
        let stop = StopSignal()
        let link = ScriptedLeaderLink(stop: stop, [{ [.attach(introduction)] }, { batches }])
        let loop = LeaderLoop(
            link: link,
            store: InMemoryJobStore(over: data),
            election: SoleElection(),
            settings: ManagerSettings(),
            extend: { _ in },
            clocks: .system,
            stop: stop,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )

        try loop.run()

        #expect(link.replies.map(\.batch) == Array(1...7))
        #expect(link.replies.allSatisfy { $0.replies == [.ok] })
        #expect(data.jobIDs.count == 7)
        // The epoch, the session, and seven batches of which three are beyond the bound together.
        #expect(try InMemoryJobStore(over: data).load().position.sequence == 5)
    }
}
