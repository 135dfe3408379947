import Foundation
import Testing

/// Jobs of workers that are gone, and of workers that may have none.
struct VanishedWorkerTests {
    private static func push(_ jid: String) -> String {
        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":[],"queue":"q"}"#
    }

    @Test("a connection that closed while it waited is never given a job")
    func closedWhileWaiting() async throws {
        try await withMillrace { server in
            let producer = try server.connect()
            for round in 0..<20 {
                let gone = try server.connect(#"{"v":2,"wid":"gone-\#(round)"}"#)
                try gone.send("FETCH q\r\n")
                // INFO on the same front is answered after the FETCH has been taken in.
                _ = try producer.info()
                gone.vanish()
                _ = try producer.ask(Self.push("never-given-\(round)"))
                let other = try server.connect(#"{"v":2,"wid":"other"}"#)
                // It would be given nothing until the job was taken back.
                #expect(try other.fetch("q")?.jid == "never-given-\(round)")
                _ = try other.ask(#"ACK {"jid":"never-given-\#(round)"}"#)
            }
            #expect(try producer.info().liveCount == 0)
        }
    }

    @Test("the jobs of a worker that is gone go back to the head of their queue after the configured time")
    func released() async throws {
        try await withMillrace(settings: ["manager.release_after": "1s"]) { server in
            let producer = try server.connect()
            _ = try producer.ask(Self.push("orphan-job"))
            do {
                let worker = try server.connect(#"{"v":2,"wid":"mortal"}"#)
                #expect(try worker.ask(#"BEAT {"wid":"mortal"}"#) == "+OK\r\n")
                #expect(try worker.fetch("q")?.jid == "orphan-job")
            }
            let other = try server.connect(#"{"v":2,"wid":"heir"}"#)
            var job: FetchedPayload?
            for _ in 0..<60 where job == nil { job = try other.fetch("q") }
            #expect(try #require(job).jid == "orphan-job")
            #expect(try job?.failure == nil)
        }
    }

    @Test("a worker that is killed before it reads its job strands none")
    func killedBeforeReading() async throws {
        try await withMillrace(settings: ["manager.release_after": "1s"]) { server in
            let producer = try server.connect()
            let count = 20
            for number in 0..<count { _ = try producer.ask(Self.push("unread-\(number)")) }
            for number in 0..<count {
                let worker = try server.connect(#"{"v":2,"wid":"hasty-\#(number)"}"#)
                #expect(try worker.ask(#"BEAT {"wid":"hasty-\#(number)"}"#) == "+OK\r\n")
                try worker.send("FETCH q\r\n")
                worker.vanish()
            }
            let heir = try server.connect(#"{"v":2,"wid":"heir-of-all"}"#)
            var found: Set<String> = []
            for _ in 0..<(count + 60) where found.count < count {
                guard let jid = try heir.fetch("q")?.jid else { continue }
                found.insert(jid)
                _ = try heir.ask(#"ACK {"jid":"\#(jid)"}"#)
            }
            #expect(found.count == count)
            #expect(try producer.info().liveCount == 0)
        }
    }

    @Test("a worker that was quiet on one connection is quiet on all of them")
    func quietEverywhere() async throws {
        try await withMillrace { server in
            let hello = #"{"v":2,"wid":"quiet-one"}"#
            let connections = try (0..<3).map { _ in try server.connect(hello) }
            _ = try connections[1].ask(#"BEAT {"wid":"quiet-one","current_state":"quiet"}"#)
            _ = try connections[0].ask(Self.push("not-for-quiet"))
            for connection in connections { try connection.send("FETCH q\r\n") }
            for connection in connections { #expect(try connection.readReply() == "$-1\r\n") }
            #expect(try server.connect(#"{"v":2,"wid":"loud-one"}"#).fetch("q")?.jid == "not-for-quiet")
        }
    }

    @Test("a second front over the same manager takes BEAT, ACK and FAIL of any worker")
    func twoFronts() async throws {
        try await withMillrace { server in
            let front = try OtherFront(of: server)
            let first = try server.connect(#"{"v":2,"wid":"two-fronts"}"#)
            for jid in ["front-job-a", "front-job-b"] { _ = try first.ask(Self.push(jid)) }
            #expect(try first.fetch("q")?.jid == "front-job-a")
            #expect(try first.fetch("q")?.jid == "front-job-b")

            let second = try ClientSocket(port: front.port)
            try second.greet()
            #expect(try second.ask(#"BEAT {"wid":"two-fronts","current_state":"quiet"}"#).hasPrefix("$17"))
            #expect(try first.ask(#"BEAT {"wid":"two-fronts"}"#).hasPrefix("$17"))
            #expect(try second.ask(#"ACK {"jid":"front-job-a"}"#) == "+OK\r\n")
            #expect(try second.ask(#"FAIL {"jid":"front-job-b"}"#) == "+OK\r\n")
            let figures = try first.info()
            #expect(figures.faktory.sets["working"] == 0 && figures.faktory.sets["retries"] == 1)
            // A job pushed through one front is given to who waits at the other.
            try second.send("FETCH q\r\n")
            _ = try first.ask(Self.push("across-fronts"))
            let bytes = try #require(try second.readBulk())
            #expect(try FetchedPayload(bytes: bytes).jid == "across-fronts")
        }
    }

    @Test("scheduled jobs start when their time has come, for a FETCH that waits already, and not before")
    func punctuality() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            // Every process has had its part in a job by then.
            _ = try client.ask(Self.push("on-the-spot"))
            #expect(try client.fetch("q")?.jid == "on-the-spot")
            _ = try client.ask(#"ACK {"jid":"on-the-spot"}"#)
            // Each at another point between two looks of the scheduler's, for FETCHes that wait already.
            for (number, delay) in [0.4, 0.47, 0.54, 0.61].enumerated() {
                let due = Date(timeIntervalSinceNow: delay)
                let text = due.formatted(
                    .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted)
                )
                let job = #"{"jid":"scheduled-\#(number)","jobtype":"A","args":[],"queue":"q","at":"\#(text)"}"#
                #expect(try client.ask("PUSH \(job)") == "+OK\r\n", "\(text)")
                var fetched: FetchedPayload?
                // On a busy machine a FETCH may have waited in vain for as long as it may.
                for _ in 0..<60 where fetched == nil { fetched = try client.fetch("q") }
                let late = Date().timeIntervalSince(due)
                #expect(try fetched?.jid == "scheduled-\(number)")
                // The text has whole milliseconds.
                #expect(late > -0.001, "\(late) s")
            }
        }
    }
}
