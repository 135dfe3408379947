import Foundation
import TestSupport
import Testing

/// Commands that take many turns of the leader, and a leader that goes in the middle of them.
@Suite(.serialized)
struct LongCommandTests {
    private static func job(_ jid: String, queue: String = "q", _ members: String = "") -> String {
        #"{"jid":"\#(jid)","jobtype":"A","args":[],"queue":"\#(queue)"\#(members)}"#
    }

    /// Waits until INFO says that the queue has as many jobs.
    private static func wait(
        for client: ClientSocket,
        _ isSo: (ServerFigures) -> Bool
    ) throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while try !isSo(client.info()) {
            try #require(Date() < deadline, "what the command does was not seen in time")
        }
    }

    @Test(
        "one whose answer was lost with the manager is not carried out again on what was pushed since",
        arguments: [
            "FLUSH", "QUEUE REMOVE q", "QUEUE REMOVE *", #"MUTATE {"cmd":"discard","target":"scheduled"}"#,
            #"MUTATE {"cmd":"discard","target":"scheduled","filter":{"jids":["planned-job"]}}"#,
        ]
    )
    func lostAnswer(line: String) async throws {
        let managerPort = try freePort()
        try await withMillrace(settings: ["manager.endpoint": "tcp://127.0.0.1:\(managerPort)"]) { server in
            let forwarder = try Forwarder(to: managerPort)
            let front = try OtherFront(of: server, endpoint: "tcp://127.0.0.1:\(forwarder.port)")
            let asker = try ClientSocket(port: front.port)
            try asker.greet()
            let others = try server.connect()
            let planned = Self.job("planned-job", queue: "q", #","at":"2099-01-01T00:00:00Z""#)
            #expect(try others.ask("PUSH \(Self.job("first-job"))") == "+OK\r\n")
            #expect(try others.ask("PUSH \(planned)") == "+OK\r\n")

            forwarder.lose(true)
            try asker.send(line + "\r\n")
            try Self.wait(for: others) { figures in
                figures.faktory.queues["q"] ?? 0 == 0 || figures.faktory.sets["scheduled"] == 0
            }
            for jid in ["first-job", "second-job"] {
                #expect(try others.ask("PUSH \(Self.job(jid))") == "+OK\r\n")
            }
            #expect(try others.ask("PUSH \(planned)") == "+OK\r\n")
            try server.kill([.manager])
            forwarder.lose(false)

            #expect(try asker.readReply() == "+OK\r\n")
            let figures = try others.info()
            #expect(figures.faktory.queues["q"] == 2)
            #expect(figures.faktory.sets["scheduled"] == 1)
        }
    }

    @Test("a long PUSHB during which the manager is killed is one PUSHB")
    func killedInBulk() async throws {
        let count = 60_000
        try await withMillrace { server in
            let (asker, worker) = (try server.connect(), try server.connect(#"{"v":2,"wid":"taker"}"#))
            let jobs = (0..<count).map { Self.job("bulk-job-\($0)") }.joined(separator: ",")
            try asker.send("PUSHB [\(jobs)]\r\n")
            try Self.wait(for: worker) { $0.faktory.queues["q"] ?? 0 > 0 }
            // What is done and gone must not come back.
            for _ in 0..<5 {
                let jid = try #require(try worker.fetch("q")?.jid)
                #expect(try worker.ask(#"ACK {"jid":"\#(jid)"}"#) == "+OK\r\n")
            }
            try server.kill([.manager])

            #expect(try asker.readBulk() == Array("{}".utf8))
            #expect(try worker.info().faktory.queues["q"] == count - 5)
        }
    }
}
