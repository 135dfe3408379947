import Foundation
import Testing

/// Input that nobody means well with.
struct HostileInputTests {
    private static let megabyte = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)

    @Test("64 MiB without a line's end are refused before HELLO and after it, and others are served meanwhile")
    func endlessLine() async throws {
        try await withMillrace { server in
            let early = try server.open()
            _ = try early.readLine()
            #expect(Self.isCutOff(early))

            let late = try server.connect()
            #expect(Self.isCutOff(late))
            #expect(try server.connect().info().faktory.total_enqueued == 0)
        }
    }

    /// Sends 64 MiB; true when the server ended the connection in the course of that or says that it is too much.
    private static func isCutOff(_ client: ClientSocket) -> Bool {
        do {
            for _ in 0..<64 { try client.send(Self.megabyte) }
            return try String(decoding: client.readOnce(), as: UTF8.self).hasPrefix("-ERR")
        } catch {
            return error == .closed
        }
    }

    @Test("a job of a line just within the bound is taken, and one byte more is refused")
    func longestLine() async throws {
        let bound = 1 << 20
        try await withMillrace(settings: ["front.max_line_bytes": "1MiB"]) { server in
            let client = try server.connect()
            func job(_ byteCount: Int) -> String {
                let frame = #"PUSH {"jid":"longest-1","jobtype":"A","args":[""]}"#
                let text = String(repeating: "x", count: byteCount - frame.utf8.count)
                return frame.replacingOccurrences(of: #"[""]"#, with: #"["\#(text)"]"#)
            }
            #expect(try client.ask(job(bound)) == "+OK\r\n")
            #expect(try client.ask(job(bound + 1)).hasPrefix("-ERR "))
            #expect(try server.connect().info().faktory.total_enqueued == 1)
        }
    }

    @Test("ten thousand queues may be made while others ask for everything there is")
    func queuesAndInformation() async throws {
        try await withMillrace { server in
            let count = 10_000
            let observer = try server.connect()
            let producers = try (0..<2).map { _ in try server.connect() }
            for start in stride(from: 0, to: count, by: 100) {
                for number in start..<(start + 100) {
                    try producers[number % 2].send(
                        #"PUSH {"jid":"many-queues-\#(number)","jobtype":"A","args":[],"queue":"many-\#(number)"}"#
                            + "\n"
                    )
                }
                _ = try observer.info()
                for _ in 0..<50 { for producer in producers { try #require(try producer.readReply() == "+OK\r\n") } }
            }
            #expect(try observer.info().faktory.total_queues == count)
        }
    }

    @Test("queues may be called like the server's own keys without touching them")
    func treacherousNames() async throws {
        let names = [
            "jobs", "queues", "paused", "working", "scheduled", "retries", "dead", "processed", "cluster", "mr", "-",
            ".",
        ]
        try await withMillrace { server in
            let client = try server.connect()
            for name in names {
                let job = #"{"jid":"treacherous-\#(name)","jobtype":"A","args":[],"queue":"\#(name)"}"#
                #expect(try client.ask("PUSH \(job)") == "+OK\r\n")
            }
            try server.stop()
            try server.startAgain()
            let again = try server.connect()
            for name in names {
                #expect(try again.fetch(name)?.jid == "treacherous-\(name)")
                #expect(try again.ask(#"ACK {"jid":"treacherous-\#(name)"}"#) == "+OK\r\n")
            }
            #expect(try again.ask("QUEUE REMOVE *") == "+OK\r\n")
            #expect(try again.info().faktory.total_queues == 0)
        }
    }

    @Test("NUL, CR and controls in names are refused, and never break a reply into two lines")
    func controls() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            for queue in [#"a\u0000b"#, #"a\rb"#, #"a\nb"#, #"mr:jobs"#, "é"] {
                let job = #"{"jid":"controls-1","jobtype":"A","args":[],"queue":"\#(queue)"}"#
                let reply = try client.ask("PUSH \(job)")
                #expect(reply.hasPrefix("-ERR cannot get") && reply.filter(\.isNewline).count == 1)
            }
            #expect(try client.ask("nonsense\0with\rcontrols").hasPrefix("-ERR unknown command"))
            #expect(try client.ask("QUEUE PAUSE a\0b c\rd") == "+OK\r\n")
            #expect(try client.ask(#"FAIL {"jid":"a\r\nb-unknown"}"#).filter(\.isNewline).count == 1)
            #expect(try client.ask("INFO").hasPrefix("$"))
        }
    }

    @Test("a client that never reads holds up nobody, and is closed in time")
    func neverReads() async throws {
        // The replies to these fill every buffer on the way to a client many times over.
        let questions = String(repeating: "INFO\n", count: 200_000)
        // Others are served long before one that is allowed to stand for so long is closed.
        try await withMillrace(settings: ["front.write_timeout": "300s"]) { server in
            let deaf = try server.connect()
            try deaf.send(questions)
            _ = try server.connect().info()
            #expect(!deaf.waitForReset(within: .zero))
        }
        try await withMillrace(settings: ["front.write_timeout": "1s"]) { server in
            let deaf = try server.connect()
            try deaf.send(questions)
            #expect(deaf.waitForReset(within: ClientSocket.patience))
        }
    }
}
