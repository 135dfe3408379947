import Foundation
import TestSupport
import Testing

/// What a start meets: ports that others have, directories of any name, and whatever the environment does to it.
@Suite("Starting a server")
struct StartTests {
    private static let job = #"PUSH {"jid":"start-job-1","jobtype":"A","args":[]}"#

    /// A `millrace dev` that may or may not come up, with a directory of its own.
    private struct Start {
        let directory: TemporaryDirectory
        let port: Int
        let program: SpawnedProgram

        init(
            bind: ((Int) -> String) = { "127.0.0.1:\($0)" },
            web: String = ":0",
            port: Int? = nil,
            more: [String] = []
        ) throws {
            self.directory = try TemporaryDirectory()
            self.port = try port ?? freePort()
            let arguments = ["dev", "-d", self.directory.file("data"), "-c", self.directory.path]
            self.program = try Millrace.start(arguments + ["-b", bind(self.port), "-w", web] + more)
        }

        func waitUntilReady() throws {
            try self.program.wait(forLineWith: "Millrace is ready", within: MillraceProcesses.readiness)
        }
    }

    // MARK: Ports

    @Test("a port that somebody else has for a while is served as soon as it is free")
    func portFreedLater() async throws {
        try await onThread {
            let port = try freePort()
            let hold = try PortHold(port: port)
            let start = try Start(port: port)
            try start.program.wait(forLineWith: "The port is taken, and is waited for")
            hold.letGo()
            try start.waitUntilReady()
            let client = try ClientSocket(port: port)
            try client.greet(#"{"v":2}"#)
            #expect(try client.ask(Self.job) == "+OK\r\n")
            start.program.send(SIGTERM)
            #expect(try start.program.waitForEnd() == .code(0))
        }
    }

    @Test("a port that stays taken ends the start, and the line names the port, its owner and the setting")
    func portTaken() async throws {
        try await onThread {
            let port = try freePort()
            let hold = try PortHold(port: port)
            let start = try Start(port: port)
            #expect(try start.program.waitForEnd() == .code(1))
            let text = start.program.text
            #expect(text.contains("the port \(port) is taken by"), "\(text)")
            #expect(text.contains("(process \(getpid()))"), "\(text)")
            #expect(text.contains("set front.bind to something else"))
            #expect(text.contains("the front cannot be started"))
            hold.letGo()
        }
    }

    @Test("a front that is told to end while it waits for its port ends with 0")
    func stoppedWhileWaiting() async throws {
        try await onThread {
            let port = try freePort()
            let hold = try PortHold(port: port)
            let start = try Start(port: port)
            try start.program.wait(forLineWith: "The port is taken, and is waited for")
            start.program.send(SIGTERM)
            #expect(try start.program.waitForEnd() == .code(0), "\(start.program.text)")
            hold.letGo()
        }
    }

    @Test("a web port that is taken costs no jobs, is told with its owner, and is served once it is free")
    func webPortTaken() async throws {
        try await onThread {
            let port = try freePort()
            let hold = try PortHold(port: port)
            let start = try Start(web: "127.0.0.1:\(port)")
            try start.program.wait(forLineWith: "The web server cannot listen")
            #expect(start.program.text.contains("the port \(port) is taken by"), "\(start.program.text)")
            try start.waitUntilReady()
            let client = try ClientSocket(port: start.port)
            try client.greet(#"{"v":2}"#)
            #expect(try client.ask(Self.job) == "+OK\r\n")
            hold.letGo()
            try start.program.wait(forLineWith: "Web server now listening")
            #expect(try Self.status(of: "/health", at: ClientSocket(port: port)) == "HTTP/1.1 200 OK")
        }
    }

    @Test("a port without a host is served on every interface, in both families, by the front and by the web server")
    func everyInterface() async throws {
        try await onThread {
            let web = try freePort()
            let start = try Start(bind: { ":\($0)" }, web: ":\(web)")
            try start.waitUntilReady()
            try start.program.wait(forLineWith: "Web server now listening")
            var clients = [try ClientSocket(port: start.port), try ClientSocket(port: start.port, host: 2)]
            var browsers = [try ClientSocket(port: web), try ClientSocket(port: web, host: 2)]
            if FileManager.default.fileExists(atPath: "/proc/net/if_inet6") {
                clients.append(try ClientSocket(version6Port: start.port))
                browsers.append(try ClientSocket(version6Port: web))
            }
            for client in clients { #expect(try client.readLine() == "+HI {\"v\":2}\r\n") }
            for browser in browsers { #expect(try Self.status(of: "/health", at: browser) == "HTTP/1.1 200 OK") }
        }
    }

    /// The first line of what a web server answers.
    private static func status(of path: String, at socket: ClientSocket, _ headers: String = "") throws -> String {
        try socket.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n")
        return try socket.readLine().trimmingCharacters(in: .newlines)
    }

    // MARK: Directories

    @Test(
        "a storage directory of any name is used, and by no other Redis than ours",
        arguments: ["with blanks in it", "br[ack]ets*?", #"quo"tes'\and"#, "größe-データ", "slash/", "./dot/."]
    )
    func directories(name: String) async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            try Self.useServer(in: directory.file(name))
        }
    }

    @Test("a relative storage directory is used, and so is one behind a symbolic link")
    func indirectDirectories() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let depth = FileManager.default.currentDirectoryPath.split(separator: "/").count
            let root = String(repeating: "../", count: depth)
            try Self.useServer(in: root + directory.file("relative").dropFirst())
            try FileManager.default.createSymbolicLink(
                atPath: directory.file("link"),
                withDestinationPath: directory.file("relative")
            )
            try Self.useServer(in: directory.file("link"), count: 2)
        }
    }

    /// Runs a server on a directory, in which the count of jobs is then one more than before.
    private static func useServer(in dataDirectory: String, count: Int = 1) throws {
        let server = try MillraceProcesses(dataDirectory: dataDirectory)
        let job = #"PUSH {"jid":"directory-\#(count)","jobtype":"A","args":[]}"#
        #expect(try server.connect().ask(job) == "+OK\r\n")
        #expect(try server.connect().info().faktory.total_enqueued == count)
        #expect(try server.redis("config", "get", "port").hasSuffix("0"))
        #expect(try server.redis("config", "get", "appendonly").hasSuffix("yes"))
        #expect(FileManager.default.fileExists(atPath: dataDirectory + "/millrace-aof"))
        #expect(try server.stop() == .code(0))
    }

    @Test("a storage directory whose sockets would have too long a path is refused with the reason")
    func longDirectory() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let path = directory.file(String(repeating: "a", count: 90))
            let program = try Millrace.start(["dev", "-d", path, "-c", directory.path])
            #expect(try program.waitForEnd() == .code(1))
            #expect(program.text.contains("bytes and the system allows 107"), "\(program.text)")
        }
    }

    @Test("a Redis that cannot be started ends the start, with a line that says what is wrong")
    func noRedis() async throws {
        try await onThread {
            let start = try Start(more: ["--set", "redis.server=/nowhere/redis-server"])
            #expect(try start.program.waitForEnd() == .code(1))
            let text = start.program.text
            #expect(text.contains("cannot run /nowhere/redis-server: No such file or directory"), "\(text)")
            #expect(text.contains("the program is not there"), "\(text)")
        }
    }

    // MARK: What the environment does

    @Test("a supervisor that was killed and started again at once serves everything that was acknowledged")
    func killedSupervisor() async throws {
        try await withMillrace { server in
            let count = 20
            for round in 1...count {
                let job = #"PUSH {"jid":"killed-\#(round)","jobtype":"A","args":[]}"#
                #expect(try server.connect().ask(job) == "+OK\r\n")
                server.program.kill()
                try server.startAgain()
                #expect(try server.connect().info().faktory.total_enqueued == round)
            }
        }
    }

    @Test("the arguments are read although a library that was loaded before has moved the environment")
    func preloadedLibrary() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let source = directory.file("preloaded.c")
            let library = directory.file("preloaded.so")
            try """
            #include <stdlib.h>
            __attribute__((constructor)) static void change(void) { setenv("MOVED", "yes", 1); }
            """.write(toFile: source, atomically: true, encoding: .utf8)
            let compiler = try SpawnedProgram("/usr/bin/env", ["clang", "-shared", "-fPIC", "-o", library, source])
            #expect(try compiler.waitForEnd() == .code(0), "\(compiler.text)")
            let program = try SpawnedProgram(try Millrace.path, ["version"], variables: ["LD_PRELOAD": library])
            #expect(try program.waitForEnd() == .code(0))
            #expect(program.text.hasPrefix("Millrace "))
            #expect(!program.text.contains("started"))
        }
    }

    @Test("descriptors that whoever starts it has closed are opened on nothing, and it serves")
    func closedDescriptors() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let port = try freePort()
            let path = try Millrace.path
            let arguments = [
                path, "dev", "-d", directory.file("data"), "-c", directory.path, "-b", "127.0.0.1:\(port)", "-w", ":0",
            ]
            // What it prints goes nowhere, so that its end is all that this program shows.
            let program = try SpawnedProgram(
                path,
                ["supervised-exec", "\(getpid())", "/bin/sh", "-c", #"exec "$0" "$@" <&- >&- 2>&-"#] + arguments
            )
            let end = ContinuousClock.now + MillraceProcesses.readiness
            var answer = ""
            while answer.isEmpty, ContinuousClock.now < end {
                if let client = try? ClientSocket(port: port), (try? client.greet(#"{"v":2}"#)) != nil {
                    answer = (try? client.ask(Self.job)) ?? ""
                }
            }
            #expect(answer == "+OK\r\n")
            for descriptor in 0...2 {
                let link = "/proc/\(program.processID)/fd/\(descriptor)"
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
            }
            program.send(SIGTERM)
            #expect(try program.waitForEnd() == .code(0))
        }
    }

    @Test("a front without descriptors serves those that are in, says so once, and takes in others when it has some")
    func noDescriptors() async throws {
        try await withMillrace { server in
            let front = try server.processID(of: .front)
            let early = try server.connect()
            let before = ContinuousClock.now
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(front)/fd").compactMap { Int($0) }
            let limit = (open.max() ?? 0) + 1
            try Self.setLimit(of: front, to: limit)
            // Each finds its way into the kernel's queue, and none of them into the front.
            let late = try (0..<20).map { _ in try server.open() }
            try server.program.wait(forLineWith: "Cannot accept connections")
            for round in 0..<200 {
                let job = #"PUSH {"jid":"no-descriptors-\#(round)","jobtype":"A","args":[]}"#
                #expect(try early.ask(job) == "+OK\r\n")
            }
            try Self.setLimit(of: front, to: 1_000)
            for client in late { #expect(try client.readLine() == "+HI {\"v\":2}\r\n") }
            let failures = try server.program.wait(for: "the count of failures") { line -> Int? in
                guard line.contains("Accepts connections again") else { return nil }
                return line.split(separator: "failures=").last.flatMap { Int($0) }
            }
            // Four a second at the most; a machine that is slow gives more time, and no more failures than that.
            let elapsed = ContinuousClock.now - before
            #expect(Double(failures) <= elapsed / .milliseconds(250) + 1)
            let lines = server.program.text.split(separator: "\n").count { $0.contains("Cannot accept connections") }
            #expect(lines == 1)
        }
    }

    private static func setLimit(of processID: pid_t, to limit: Int) throws {
        let program = try SpawnedProgram("/usr/bin/prlimit", ["--pid", "\(processID)", "--nofile=\(limit):"])
        #expect(try program.waitForEnd() == .code(0), "\(program.text)")
    }

    // MARK: Reading the settings again

    @Test("SIGHUP lets the web server take a new password, for which the old one is refused then")
    func webPassword() async throws {
        let port = try freePort()
        try await withMillrace(
            settings: ["web.bind": "127.0.0.1:\(port)"],
            configuration: ["millrace.toml": "[front]\npassword = \"first\"\n"]
        ) { server in
            #expect(try Self.statistics(at: port, "first") == "HTTP/1.1 200 OK")
            try Self.reload(
                server,
                ["millrace.toml": "[front]\npassword = \"second\"\n"],
                telling: "took a new password"
            )
            #expect(try Self.statistics(at: port, "second") == "HTTP/1.1 200 OK")
            #expect(try Self.statistics(at: port, "first") == "HTTP/1.1 401 Unauthorized")
        }
    }

    @Test("SIGHUP lets the web server show a new certificate")
    func webCertificate() async throws {
        let port = try freePort()
        let old = try ServerCertificate()
        let new = try ServerCertificate()
        try await withMillrace(settings: ["web.bind": "127.0.0.1:\(port)"], configuration: old.files) { server in
            #expect(try Self.isTrusted(old, at: port))
            try Self.reload(server, new.files, telling: "took a new certificate")
            #expect(try Self.isTrusted(new, at: port))
            #expect(try !Self.isTrusted(old, at: port))
        }
    }

    private static func statistics(at port: Int, _ password: String) throws -> String {
        let credentials = Data(":\(password)".utf8).base64EncodedString()
        return try Self.status(of: "/stats", at: ClientSocket(port: port), "Authorization: Basic \(credentials)\r\n")
    }

    /// Whether somebody who trusts this certificate alone goes on with the server.
    private static func isTrusted(_ certificate: ServerCertificate, at port: Int) throws -> Bool {
        let directory = try TemporaryDirectory()
        let path = directory.file("trusted.pem")
        try certificate.certificate.write(toFile: path, atomically: true, encoding: .utf8)
        let program = try SpawnedProgram(
            "/usr/bin/openssl",
            ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", path, "-verify_return_error", "-no_ign_eof"]
        )
        return try program.waitForEnd() == .code(0)
    }

    /// Writes files of the config directory and returns once the web server has taken them.
    private static func reload(_ server: MillraceProcesses, _ files: [String: String], telling what: String) throws {
        // The last of the roles to be there has read the old settings.
        try server.program.wait(forLineWith: "scheduling")
        try server.program.wait(forLineWith: "Web server now listening")
        let before = server.program.lineCount
        try server.configure(files)
        server.program.send(SIGHUP)
        try server.program.wait(forLineWith: "The web server \(what)", skipping: before)
    }
}
