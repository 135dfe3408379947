import Foundation
import Synchronization
import TestSupport

/// A real `millrace dev` with its children, in a directory of its own and on a free port.
final class MillraceProcesses: Sendable {
    /// How long the whole of it may take to be ready on a busy machine.
    static let readiness = Duration.seconds(120)

    let directory: TemporaryDirectory
    /// The storage directory.
    let dataDirectory: String
    let port: Int
    private let arguments: [String]
    private let variables: [String: String]
    private let executable: String?
    private let running: Mutex<SpawnedProgram>

    /// Starts everything, and returns once it answers clients.
    ///
    /// - Parameters:
    ///   - settings: what is handed over as `--set key=value`.
    ///   - configuration: files of the config directory, by name.
    ///   - dataDirectory: the storage directory, in place of one of its own.
    init(
        settings: [String: String] = [:],
        configuration: [String: String] = [:],
        variables: [String: String] = [:],
        executable: String? = nil,
        dataDirectory: String? = nil
    ) throws {
        let directory = try TemporaryDirectory()
        let folder = directory.file("config")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.write(configuration, to: folder)
        let port = try freePort()
        let dataDirectory = dataDirectory ?? directory.file("data")
        self.directory = directory
        self.dataDirectory = dataDirectory
        self.port = port
        self.variables = variables
        self.executable = executable
        self.arguments =
            ["dev", "-d", dataDirectory, "-c", folder, "-b", "127.0.0.1:\(port)", "-w", ":0"]
            + settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] }
        self.running = Mutex(try Self.start(self.arguments, variables, executable))
    }

    deinit {
        self.stopQuietly()
    }

    /// The process that supervises the others.
    var program: SpawnedProgram { self.running.withLock { $0 } }

    /// Where the processes talk to each other.
    var managerEndpoint: String { "ipc://\(self.dataDirectory)/millrace-manager.sock" }

    /// The socket of its Redis.
    var redisSocket: String { self.dataDirectory + "/millrace-redis.sock" }

    /// What `redis-cli` prints for a command.
    func redis(_ arguments: String...) throws -> String {
        let program = try SpawnedProgram("/usr/bin/redis-cli", ["-s", self.redisSocket] + arguments)
        _ = try program.waitForEnd()
        return program.text
    }

    /// The most memory that the process with this role has had, in KiB.
    func peakKilobytes(of role: Role) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(try self.processID(of: role))/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        guard let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw SpawnedProgram.Failure.silent(awaited: "VmHWM of \(role)", output: status)
        }
        return number
    }

    /// Ends everything at once, as a power cut does, and waits for the supervisor's end.
    func killAll() throws {
        let processIDs = try Role.allCases.map { try self.processID(of: $0) }
        self.program.send(SIGKILL)
        for processID in processIDs { Glibc.kill(processID, SIGKILL) }
        _ = try self.program.waitForEnd()
    }

    /// A client's connection that has not said HELLO.
    func open() throws -> ClientSocket { try ClientSocket(port: self.port) }

    /// A client's connection that has said HELLO.
    func connect(_ hello: String = #"{"v":2}"#) throws -> ClientSocket {
        let socket = try self.open()
        try socket.greet(hello)
        return socket
    }

    /// Writes files of the config directory, by name; the processes look at them when they are told to.
    func configure(_ files: [String: String]) throws {
        try Self.write(files, to: self.directory.file("config"))
    }

    private static func write(_ files: [String: String], to folder: String) throws {
        for (name, text) in files {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
    }

    /// Ends children as a crash would, and returns once others have taken their places.
    func kill(_ roles: [Role]) throws {
        let processIDs = try roles.map { try self.processID(of: $0) }
        let before = self.program.lineCount
        for processID in processIDs { Glibc.kill(processID, SIGKILL) }
        for role in roles { _ = try self.started(role, skipping: before) }
    }

    /// The id of the process that has this role now.
    func processID(of role: Role) throws -> pid_t {
        let lines = self.program.text.split(separator: "\n")
        guard let last = lines.last(where: { Self.isStart(of: role, $0) }), let found = Self.number("pid", in: last)
        else {
            throw SpawnedProgram.Failure.silent(awaited: "start of \(role)", output: self.program.text)
        }
        return found
    }

    private func started(_ role: Role, skipping count: Int) throws -> pid_t {
        try self.program.wait(for: "start of \(role)", skipping: count) { line in
            Self.isStart(of: role, line[...]) ? Self.number("pid", in: line[...]) : nil
        }
    }

    /// Asks for an orderly stop and waits for it.
    @discardableResult
    func stop() throws -> SpawnedProgram.End {
        self.program.send(SIGTERM)
        return try self.program.waitForEnd()
    }

    /// Starts everything again on the same directory and port, once it was stopped.
    func startAgain() throws {
        let program = try Self.start(self.arguments, self.variables, self.executable)
        self.running.withLock { $0 = program }
    }

    /// Starts another one on the same directory, without waiting for anything.
    func startRival() throws -> SpawnedProgram {
        try Millrace.start(self.arguments, variables: self.variables)
    }

    private func stopQuietly() {
        // A test that has failed may have left it in any state; what does not stop is killed when it is let go.
        _ = try? self.stop()
    }

    private static func start(
        _ arguments: [String],
        _ variables: [String: String],
        _ executable: String?
    ) throws -> SpawnedProgram {
        let program = try Millrace.start(arguments, variables: variables, executable: executable)
        try program.wait(forLineWith: "Millrace is ready", within: Self.readiness)
        return program
    }

    private static func isStart(of role: Role, _ line: Substring) -> Bool {
        let words = line.split(separator: " ")
        return words.contains("started") && words.contains("process=\(role.rawValue)")
    }

    private static func number(_ key: String, in line: Substring) -> pid_t? {
        line.split(separator: " ").first { $0.hasPrefix("\(key)=") }.flatMap { pid_t($0.dropFirst(key.count + 1)) }
    }
}
