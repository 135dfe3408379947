import ClusterLink
import JobCore
import Testing
import WebUI

@Suite("An inquiry of the leader")
struct LeaderInquiryTests {
    /// How patient a test is with something that is sure to come; it never waits for this time to pass.
    private static let patience = Duration.seconds(60)

    private func inquiry(of managers: FakeLeader...) -> LeaderInquiry {
        LeaderInquiry(links: managers, session: SessionID(high: 1, low: 2), software: "test")
    }

    @Test("attaches before it asks")
    func attaches() async throws {
        let leader = FakeLeader(answering: "{}")
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        #expect(try await inquiry.information(within: Self.patience) == Array("{}".utf8))
        inquiry.close()
        #expect(leader.received == ["attach", "question", "detach"])
    }

    @Test("attaches again to a leader that does not know it, and then asks again at once")
    func newLeader() async throws {
        let leader = FakeLeader(answering: "{}")
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        defer { inquiry.close() }
        leader.forget()
        let start = ContinuousClock.now
        #expect(try await inquiry.information(within: Self.patience * 10) == Array("{}".utf8))
        // Without being asked to, it would have asked again only after an eighth of its patience.
        #expect(ContinuousClock.now - start < Self.patience)
        #expect(leader.received == ["attach", "question", "attach", "question"])
    }

    @Test("asks again when an answer was lost")
    func lostAnswer() async throws {
        let leader = FakeLeader(answering: "{}", questions: 3...3)
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        defer { inquiry.close() }
        #expect(try await inquiry.information(within: .seconds(24)) == Array("{}".utf8))
        // One more may have left while the answer to the third was under way.
        #expect(leader.received.starts(with: ["attach", "question", "question", "question"]))
    }

    @Test("asks every manager, and hears the one that leads")
    func severalManagers() async throws {
        let (follower, leader) = (FakeLeader(answering: "no", mood: .silent), FakeLeader(answering: "{}"))
        let inquiry = self.inquiry(of: follower, leader)
        try inquiry.start()
        #expect(try await inquiry.information(within: Self.patience) == Array("{}".utf8))
        inquiry.close()
        #expect(follower.received == leader.received)
        #expect(follower.isClosed && leader.isClosed)
    }

    @Test("does not believe a leader of an earlier epoch once it knows of a later one", arguments: [false, true])
    func deposedLeader(isFirst: Bool) async throws {
        let (old, new) = (FakeLeader(answering: "old", epoch: 1), FakeLeader(answering: "new", epoch: 2))
        let inquiry = isFirst ? self.inquiry(of: old, new) : self.inquiry(of: new, old)
        try inquiry.start()
        defer { inquiry.close() }
        #expect(try await inquiry.information(within: Self.patience) == Array("new".utf8))
    }

    @Test("gives up when nobody answers in time")
    func noAnswer() async throws {
        let leader = FakeLeader(answering: "{}", mood: .silent)
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        defer { inquiry.close() }
        await #expect(throws: LeaderInquiry.NoAnswer.self) {
            try await inquiry.information(within: .milliseconds(20))
        }
    }

    @Test("lets those who ask at the same time share an answer")
    func shared() async throws {
        // Everyone's first question goes unanswered, so that all are waiting when the only answer comes.
        let leader = FakeLeader(answering: "{}", questions: 11...11)
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        defer { inquiry.close() }
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<10 { group.addTask { try await inquiry.information(within: Self.patience) } }
            for try await answer in group { #expect(answer == Array("{}".utf8)) }
        }
        let questionCount = leader.received.count { $0 == "question" }
        #expect(questionCount >= 11)
    }

    @Test("that is closed lets those who wait go")
    func closed() async throws {
        let (questions, continuation) = AsyncStream.makeStream(of: Int.self)
        let leader = FakeLeader(answering: "{}", mood: .silent) { continuation.yield($0) }
        let inquiry = self.inquiry(of: leader)
        try inquiry.start()
        let start = ContinuousClock.now
        let answer = Task { try await inquiry.information(within: Self.patience) }
        // With the second question it is certain that the first has someone who waits.
        for await number in questions where number == 2 { break }
        inquiry.close()
        await #expect(throws: LeaderInquiry.NoAnswer.self) { try await answer.value }
        #expect(ContinuousClock.now - start < Self.patience)
        #expect(leader.isClosed)
    }
}
