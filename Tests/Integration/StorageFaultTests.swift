import Foundation
import Testing

/// What the machine can do to the data: a Redis that stands still, a full disk, a log that was cut off or damaged.
@Suite(.serialized)
struct StorageFaultTests {
    private static func push(_ jid: String, _ argument: String = "", custom: String = "{}") -> String {
        #"PUSH {"jid":"\#(jid)","jobtype":"A","args":["\#(argument)"],"queue":"q","custom":\#(custom)}"#
    }

    // MARK: A Redis that stands still

    @Test("an ACK and a FAIL during seven seconds without Redis are each carried out once, middleware included")
    func reportsDuringStall() async throws {
        let executable = try Millrace.path(of: "millrace-with-rules")
        try await onThread {
            let server = try MillraceProcesses(executable: executable)
            let client = try server.connect()
            let invoice = #"{"unique_key":"invoice-7"}"#
            #expect(try client.ask(Self.push("stalled-ack", custom: invoice)) == "+OK\r\n")
            #expect(try client.ask(Self.push("stalled-fail")) == "+OK\r\n")
            for _ in 0..<2 { #expect(try client.fetch("q") != nil) }
            let reports = try [#"ACK {"jid":"stalled-ack"}"#, #"FAIL {"jid":"stalled-fail"}"#].map { line in
                // Its patience is what measures the seven seconds.
                let socket = try ClientSocket(port: server.port, patience: .seconds(7))
                try socket.greet()
                return (socket: socket, line: line)
            }

            let redis = try server.processID(of: .redis)
            kill(redis, SIGSTOP)
            defer { kill(redis, SIGCONT) }
            for report in reports { try report.socket.send(report.line + "\n") }
            #expect(throws: ClientSocket.Failure.late) { try reports[0].socket.readOnce() }
            kill(redis, SIGCONT)

            for report in reports { #expect(try report.socket.readReply() == "+OK\r\n") }
            // The same once more, as from a client that gave up before the answer.
            #expect(try client.ask(reports[0].line) == "+OK\r\n")
            #expect(try client.ask(reports[1].line) == "-ERR Job not found stalled-fail\r\n")
            let figures = try client.info().faktory
            #expect(figures.total_processed == 2 && figures.total_failures == 1)
            #expect(figures.sets["retries"] == 1 && figures.sets["working"] == 0)
            // The chain of the ACK has given the name back.
            #expect(try client.ask(Self.push("stalled-next", custom: invoice)) == "+OK\r\n")
            #expect(try client.ask(Self.push("stalled-other", custom: invoice)) == "-NOTUNIQUE Job not unique\r\n")
        }
    }

    @Test(
        "no job is lost, stuck, counted twice or run after it was done when Redis stands still under load",
        arguments: [7, 13]
    )
    func stallUnderLoad(seconds: Int) async throws {
        try await withMillrace { server in
            let load = Load(port: server.port)
            defer { load.stop() }
            #expect(load.progresses(by: 150))
            let redis = try server.processID(of: .redis)
            kill(redis, SIGSTOP)
            defer { kill(redis, SIGCONT) }
            // What was under way may still be answered, and then nothing.
            let goal = load.ledger.value.doneCount + 1_000
            #expect(!load.ledger.wait(within: .seconds(seconds)) { $0.doneCount >= goal })
            kill(redis, SIGCONT)
            #expect(load.progresses(by: 200))
            try load.drainAndCheck(server, rounds: 1, "redis-server stood still for \(seconds) s")
        }
    }

    @Test("a Redis that is killed in the middle of writing a large job is started again without anybody's help")
    func killedWhileWriting() async throws {
        try await onThread {
            let server = try MillraceProcesses(settings: ["front.hold_timeout": "60s"])
            let argument = String(repeating: "x", count: 7_500_000)
            var count = 0
            // Whether one strikes in the middle is up to the machine; what is cut off then is in the tests of the log.
            while count < 16, count < 4 || !server.program.text.contains("had not finished writing") {
                let clients = try (0..<2).map { _ in try server.connect() }
                let redis = try server.processID(of: .redis)
                let length = try Self.logLength(of: server)
                for client in clients {
                    count += 1
                    try client.send(Self.push("large-job-\(count)", argument) + "\n")
                }
                let end = ContinuousClock.now + .seconds(120)
                while try Self.logLength(of: server) == length, ContinuousClock.now < end { usleep(100) }
                let lineCount = server.program.lineCount
                kill(redis, SIGKILL)
                for client in clients { #expect(try Self.patientReply(on: client) == "+OK\r\n") }
                try server.program.wait(for: "another Redis", skipping: lineCount) { line in
                    line.contains("started") && line.contains("process=redis") ? () : nil
                }
            }
            let worker = try server.connect()
            var found: Set<String> = []
            while let job = try worker.fetch("q") { found.insert(try job.jid) }
            #expect(found.count == count)
        }
    }

    /// How long the files are together to which Redis appends, in bytes.
    private static func logLength(of server: MillraceProcesses) throws -> Int {
        let folder = server.dataDirectory + "/millrace-aof"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".incr.aof") }
        return names.reduce(0) { total, name in
            var status = stat()
            return stat("\(folder)/\(name)", &status) == 0 ? total + Int(status.st_size) : total
        }
    }

    @Test("producers that are faster than Redis wait, and what is kept for them has a bound")
    func backPressure() async throws {
        let settings = ["front.hold_timeout": "60s", "front.max_held_bytes": "8MiB"]
        try await withMillrace(settings: settings) { server in
            let peaks = try [Role.front, .manager].map { try server.peakKilobytes(of: $0) }
            let redis = try server.processID(of: .redis)
            kill(redis, SIGSTOP)
            defer { kill(redis, SIGCONT) }
            // Each of these wants twice as much to be held as is for all of them.
            let argument = String(repeating: "x", count: 256 << 10)
            let producers = try (0..<4).map { _ in
                let producer = try ClientSocket(port: server.port, patience: .seconds(1))
                try producer.greet()
                return producer
            }
            var sentCount = 0
            for (index, producer) in producers.enumerated() {
                let isHeldUp = #expect(throws: ClientSocket.Failure.self) {
                    for number in 0..<64 {
                        try producer.send(Self.push("pressed-\(index)-\(number)", argument) + "\n")
                        sentCount += 1
                    }
                }
                #expect(isHeldUp == .late, "\(index)")
            }
            #expect(sentCount < 64 + 3 * 16)
            // In the front what is held, what buffers reserve beyond it, and a few copies of the batch that is under way
            // on their way out; in the manager those copies.
            #expect(try server.peakKilobytes(of: .front) - peaks[0] < 96 << 10)
            #expect(try server.peakKilobytes(of: .manager) - peaks[1] < 96 << 10)
            kill(redis, SIGCONT)
            for producer in producers { #expect(try Self.patientReply(on: producer) == "+OK\r\n") }
            #expect(try server.connect().ask(Self.push("pressed-after")) == "+OK\r\n")
        }
    }

    /// A reply that may take longer than the socket's own patience.
    private static func patientReply(on client: ClientSocket) throws -> String {
        let deadline = ContinuousClock.now + ClientSocket.patience
        while ContinuousClock.now < deadline {
            do throws(ClientSocket.Failure) {
                return try client.readReply()
            } catch {
                guard error == .late else { throw error }
            }
        }
        throw ClientSocket.Failure.late
    }

    // MARK: A full disk

    @Test("on a full disk commands are refused with Redis's words, and taken again by themselves when there is room")
    func fullDisk() async throws {
        try await onThread {
            let disk = try SmallDisk(mebibytes: 64)
            let server = try MillraceProcesses(dataDirectory: disk.path + "/data")
            let client = try server.connect()
            try disk.fill(leaving: 2 << 20)
            let argument = String(repeating: "x", count: 100_000)
            var taken: [String] = []
            var reply = "+OK\r\n"
            for number in 0..<100 where reply == "+OK\r\n" {
                reply = try client.ask(Self.push("full-disk-\(number)", argument))
                if reply == "+OK\r\n" { taken.append("full-disk-\(number)") }
            }
            #expect(reply.hasPrefix("-ERR the store refused: MISCONF "), "\(reply)")
            #expect(reply.contains("No space left on device"), "\(reply)")
            #expect(taken.count > 10)
            // It stays so, for new connections too: they are answered, and not held until they are closed.
            for line in [Self.push("full-disk-more"), "FETCH q", "INFO"] {
                let other = try ClientSocket(port: server.port)
                try other.greet()
                #expect(try other.ask(line).hasPrefix("-ERR the store refused: MISCONF "), "\(line)")
            }

            disk.empty()
            let deadline = ContinuousClock.now + ClientSocket.patience
            while reply != "+OK\r\n", ContinuousClock.now < deadline {
                reply = try client.ask(Self.push("full-disk-last"))
            }
            #expect(reply == "+OK\r\n")
            taken.append("full-disk-last")
            try server.killAll()
            try server.startAgain()
            let again = try server.connect()
            for jid in taken { #expect(try again.fetch("q")?.jid == jid) }
            #expect(try again.info().faktory.total_enqueued == 0)
        }
    }

    @Test("a log that Redis has damaged on a full disk is written anew as soon as there is room")
    func repairedLog() async throws {
        try await onThread {
            let disk = try SmallDisk(mebibytes: 64)
            let server = try MillraceProcesses(dataDirectory: disk.path + "/data")
            let client = try server.connect()
            // Only in a file that a rewrite has begun does Redis leave zeros where its short write was.
            _ = try server.redis("bgrewriteaof")
            try Self.waitForRewrite(on: server)
            try disk.fill(leaving: 1 << 20)
            let argument = String(repeating: "x", count: 100_001)
            var taken: [String] = []
            var reply = "+OK\r\n"
            while reply == "+OK\r\n", taken.count < 100 {
                reply = try client.ask(Self.push("short-write-\(taken.count)", argument))
                if reply == "+OK\r\n" { taken.append("short-write-\(taken.count)") }
            }
            #expect(reply.hasPrefix("-ERR the store refused: MISCONF "), "\(reply)")
            try server.program.wait(forLineWith: "Redis cannot write its log")

            disk.empty()
            try server.program.wait(forLineWith: "Redis has written its log anew")
            let deadline = ContinuousClock.now + ClientSocket.patience
            while reply != "+OK\r\n", ContinuousClock.now < deadline {
                reply = try client.ask(Self.push("short-write-last"))
            }
            #expect(reply == "+OK\r\n")
            taken.append("short-write-last")
            try server.killAll()
            try server.startAgain()
            let again = try server.connect()
            for jid in taken { #expect(try again.fetch("q")?.jid == jid) }
            #expect(try again.info().faktory.total_enqueued == 0)
        }
    }

    private static func waitForRewrite(on server: MillraceProcesses) throws {
        let deadline = ContinuousClock.now + ClientSocket.patience
        while try !server.redis("info", "persistence").contains("aof_rewrite_in_progress:0") {
            try #require(ContinuousClock.now < deadline, "the rewrite has not ended in time")
            usleep(10_000)
        }
    }

    @Test("with durability on disk a full one says OK to nothing that it has not kept, and goes on when there is room")
    func fullDiskSynced() async throws {
        try await onThread {
            let disk = try SmallDisk(mebibytes: 64)
            let server = try MillraceProcesses(
                settings: ["durability": "disk", "front.hold_timeout": "1s"],
                dataDirectory: disk.path + "/data"
            )
            try disk.fill(leaving: 2 << 20)
            let argument = String(repeating: "x", count: 100_000)
            let client = try server.connect()
            var taken: [String] = []
            // Redis gives up, and its outcome is not known: the connection is closed without an answer.
            let end = #expect(throws: ClientSocket.Failure.self) {
                for number in 0..<100 {
                    let reply = try client.ask(Self.push("full-disk-\(number)", argument))
                    if reply == "+OK\r\n" { taken.append("full-disk-\(number)") }
                }
            }
            #expect(end == .closed)
            #expect(taken.count > 10)

            disk.empty()
            var reply = ""
            let deadline = ContinuousClock.now + ClientSocket.patience
            while reply != "+OK\r\n", ContinuousClock.now < deadline {
                let other = try server.connect()
                // The one whose answer was lost may be there, too, and is then the same job.
                reply = (try? other.ask(Self.push("full-disk-\(taken.count)"))) ?? ""
            }
            #expect(reply == "+OK\r\n")
            taken.append("full-disk-\(taken.count)")
            let again = try server.connect()
            for jid in taken { #expect(try again.fetch("q")?.jid == jid) }
            #expect(try again.info().faktory.total_enqueued == 0)
        }
    }

    // MARK: Damaged data

    @Test("a log whose end is missing is refused with the command that repairs it, and never starts one job short")
    func cutLog() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            #expect(try client.ask(Self.push("cut-off-1")) == "+OK\r\n")
            let log = try Self.log(of: server)
            let before = try Self.byteCount(of: log)
            #expect(try client.ask(Self.push("cut-off-2")) == "+OK\r\n")
            let after = try Self.byteCount(of: log)
            #expect(after > before + 100)
            // How far the log is whole is noted once a second; it might have been killed in the middle of anything after.
            let mark = server.dataDirectory + "/millrace-log-mark"
            while (try? String(contentsOfFile: mark, encoding: .utf8))?.contains("bytes \(after)\n") != true {
                usleep(10_000)
            }
            try server.killAll()
            let bytes = try Data(contentsOf: URL(fileURLWithPath: log))

            for end in [after - 1, (before + after) / 2, before + 1] {
                try bytes[..<end].write(to: URL(fileURLWithPath: log))
                let refused = try server.startRival()
                #expect(try refused.waitForEnd() == .code(1))
                let manifest = server.dataDirectory + "/millrace-aof/millrace.aof.manifest"
                #expect(refused.text.contains("redis-check-aof --fix \(manifest)"), "\(refused.text)")
                #expect(refused.text.contains("Unexpected end of file reading the append only file"))
                #expect(try Self.byteCount(of: log) == end, "nothing may be cut off without being asked")
            }
            // What the message says works, and loses what was cut off and nothing else.
            let manifest = server.dataDirectory + "/millrace-aof/millrace.aof.manifest"
            let repair = try SpawnedProgram("/bin/sh", ["-c", "echo y | redis-check-aof --fix \(manifest)"])
            #expect(try repair.waitForEnd() == .code(0), "\(repair.text)")
            try server.startAgain()
            let again = try server.connect()
            #expect(try again.fetch("q")?.jid == "cut-off-1")
            #expect(try again.info().faktory.total_enqueued == 0)
        }
    }

    @Test("zeros behind the last command, as a power cut leaves them, are cut off with a warning, and no job is lost")
    func zeroedTail() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            for number in 0..<20 { #expect(try client.ask(Self.push("zeroed-\(number)")) == "+OK\r\n") }
            let log = try Self.log(of: server)
            try server.killAll()
            let length = try Self.byteCount(of: log)
            // Redis must not be started with this, which it would refuse.
            try #require(truncate(log, length + 5_000) == 0)

            try server.startAgain()
            try server.program.wait(forLineWith: "cut off the zeros at the end of Redis's log")
            #expect(server.program.text.contains("bytes=5000"), "\(server.program.text)")
            let again = try server.connect()
            for number in 0..<20 { #expect(try again.fetch("q")?.jid == "zeroed-\(number)") }
            #expect(try again.info().faktory.total_enqueued == 0)
        }
    }

    @Test("a job with a bit that has flipped on the disk is put aside and told of, and its neighbours are served")
    func flippedBit() async throws {
        try await withMillrace { server in
            let client = try server.connect()
            for name in ["flipped-1", "flipped-2", "flipped-3"] {
                #expect(try client.ask(Self.push(name, "argument of \(name)")) == "+OK\r\n")
            }
            let log = try Self.log(of: server)
            try server.killAll()
            var bytes = try Data(contentsOf: URL(fileURLWithPath: log))
            let place = try #require(bytes.range(of: Data("argument of flipped-2".utf8)))
            bytes[place.lowerBound] ^= 1 << 2
            try bytes.write(to: URL(fileURLWithPath: log))

            try server.startAgain()
            let again = try server.connect()
            #expect(try again.fetch("q")?.jid == "flipped-1")
            #expect(try again.fetch("q")?.jid == "flipped-3")
            #expect(try again.fetch("q") == nil)
            try server.program.wait(forLineWith: "a stored job is damaged and was put aside")
            #expect(try server.redis("hkeys", "mr:quarantine") == "flipped-2")
            #expect(try server.redis("hexists", "mr:jobs", "flipped-2") == "0")
            let figures = try again.info()
            #expect(figures.faktory.total_enqueued == 0 && figures.faktory.sets["working"] == 2)
        }
    }

    /// The file that Redis appends to.
    private static func log(of server: MillraceProcesses) throws -> String {
        let directory = server.dataDirectory + "/millrace-aof"
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        return directory + "/" + (try #require(names.first { $0.hasSuffix(".incr.aof") }))
    }

    private static func byteCount(of path: String) throws -> Int {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return Int(status.st_size)
    }
}
