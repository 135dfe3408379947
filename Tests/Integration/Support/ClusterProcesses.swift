import Foundation
import Synchronization
import TestSupport

/// Members on 127.0.0.1, 127.0.0.2 and so on unless they move, each of them a real `millrace host`, with a real etcd.
final class ClusterProcesses: Sendable {
    /// What `millrace cluster status --json` tells, as far as tests look at it.
    struct Status: Decodable, Sendable {
        struct Member: Decodable, Sendable {
            struct Status: Decodable, Sendable {
                let isVoter: Bool
                /// The highest epoch that it promised.
                let promise: UInt64
            }

            let number: UInt32
            let role: String
            let lag: UInt64?
            let status: Status?
        }

        let leader: UInt32?
        let epoch: UInt64?
        let voterCount: Int
        let members: [Member]

        func role(of number: UInt32) -> String? { self.members.first { $0.number == number }?.role }

        /// Whether every member has everything, and a vote.
        var isComplete: Bool {
            self.leader != nil && self.voterCount == self.members.count && self.members.allSatisfy { $0.lag == 0 }
        }
    }

    /// How long the cluster may take for anything on a busy machine.
    static let patience = Duration.seconds(120)
    /// How many members have keys in an encrypted cluster, whether they are members from the beginning or not.
    private static let mostMembers = 5
    /// How often it is asked how it is.
    private static let look: useconds_t = 20_000

    /// Where every member's front listens for clients.
    let frontPort: Int
    private let etcd: EtcdServer
    private let directory: TemporaryDirectory
    private let settings: [String: String]
    /// Whose keys there are, by the name of their file; none in a cluster that is not encrypted.
    private let keyNames: [String]
    private let ways: [UInt32: Forwarder]
    private let hosts = Mutex<[UInt32: SpawnedProgram]>([:])
    /// The last part of the address of each member.
    private let places: Mutex<[UInt32: UInt32]>

    /// Starts everything, and returns once every member has a vote.
    ///
    /// - Parameters:
    ///   - isEncrypted: whether the hosts have keys; then there is one of a front on a host of its own, too.
    ///   - redis: the Redis of all managers, in shared mode; nil for replicated mode, with one for each.
    ///   - waitsForVotes: whether it returns only when every member has a vote, and not at once.
    ///   - ways: where a member reaches that Redis, if not at its own port.
    init(
        settings: [String: String] = [:],
        memberCount: UInt32 = 3,
        isEncrypted: Bool = false,
        redis: RedisServer? = nil,
        ways: [UInt32: Forwarder] = [:],
        waitsForVotes: Bool = true
    ) throws {
        self.ways = ways
        self.etcd = try EtcdServer()
        self.places = Mutex(Dictionary(uniqueKeysWithValues: (1...memberCount).map { ($0, $0) }))
        self.directory = try TemporaryDirectory()
        self.frontPort = try freePort()
        var own = [
            "mode": redis == nil ? "replicated" : "shared", "cluster.etcd": self.etcd.endpoint,
            "cluster.manager_port": "\(try freePort())", "cluster.peer_port": "\(try freePort())",
        ]
        if let port = redis?.port {
            own["redis.address"] = "127.0.0.1:\(port)"
        } else {
            own["cluster.redis_port"] = "\(try freePort())"
            own["cluster.redis_password"] = "a-password-of-tests"
        }
        self.settings = settings.merging(own) { given, _ in given }
        self.keyNames = isEncrypted ? (1...Self.mostMembers).map { "member-\($0)" } + ["front"] : []
        try self.makeKeys()
        for member in self.members { try self.start(member) }
        if waitsForVotes { _ = try self.status(when: "every member has a vote") { $0.isComplete } }
    }

    deinit {
        for member in self.hosts.withLock({ Array($0.keys) }) { self.kill(member) }
    }

    /// The numbers of the members, as whatever is started now has them.
    var members: [UInt32] { self.places.withLock { $0.keys.sorted() } }

    /// Starts a member that does not run.
    func start(_ member: UInt32) throws {
        let way = self.ways[member].map { ["--set", "redis.address=127.0.0.1:\($0.port)"] } ?? []
        let program = try Millrace.start(
            [
                "host", "-d", self.directory.file("data-\(member)"), "-c", self.directory.path,
                "-b", "127.0.0.\(self.place(of: member)):\(self.frontPort)", "-w", ":0",
                "--set", "cluster.member=\(member)",
            ] + self.flags + self.keyFlags(of: "member-\(member)") + way
        )
        self.hosts.withLock { $0[member] = program }
    }

    /// Takes a member off the list of whatever is started from now on.
    func remove(_ member: UInt32) {
        _ = self.places.withLock { $0.removeValue(forKey: member) }
    }

    /// Gives a member another address, or a new one its first, in the list of whatever is started from now on.
    func move(_ member: UInt32, to place: UInt32) {
        self.places.withLock { $0[member] = place }
    }

    /// The members and where they are, as whatever is started now has them.
    var memberList: String {
        self.members.map { "\($0)@127.0.0.\(self.place(of: $0))" }.joined(separator: ",")
    }

    private func place(of member: UInt32) -> UInt32 {
        self.places.withLock { $0[member] ?? member }
    }

    /// Removes the data of a member that does not run, as if its disk had been replaced.
    func wipe(_ member: UInt32) throws {
        try FileManager.default.removeItem(atPath: self.directory.file("data-\(member)"))
    }

    /// Ends everything that runs on a host, as if its power was cut.
    func kill(_ member: UInt32) {
        guard let program = self.hosts.withLock({ $0.removeValue(forKey: member) }) else { return }
        // The supervisor first, so that it starts nothing anew.
        program.kill()
        for role in Role.allCases {
            if let processID = program.processID(of: role) { Glibc.kill(processID, SIGKILL) }
        }
    }

    /// Takes everything away that etcd has, as whoever makes it anew does.
    func emptyEtcd() throws {
        try self.etcd.empty()
    }

    /// Ends one process of a host as a crash would; its supervisor starts it anew.
    func kill(_ role: Role, of member: UInt32) {
        self.send(SIGKILL, to: role, of: member)
    }

    /// Sends one process of a host a signal.
    func send(_ signal: Int32, to role: Role, of member: UInt32) {
        let processID = self.hosts.withLock { $0[member]?.processID(of: role) }
        if let processID { Glibc.kill(processID, signal) }
    }

    /// The program that keeps the processes of a host running, and what all of them write.
    func host(_ member: UInt32) -> SpawnedProgram? { self.hosts.withLock { $0[member] } }

    /// A client of the front of a member that has said HELLO.
    func connect(to member: UInt32) throws -> ClientSocket {
        let client = try ClientSocket(port: self.frontPort, host: self.place(of: member))
        try client.greet()
        return client
    }

    /// What `millrace cluster` prints for these arguments, and its exit code.
    func command(_ arguments: [String]) throws -> (end: SpawnedProgram.End, text: String) {
        try self.command(arguments, keys: self.keyFlags(of: "member-1"))
    }

    /// The same with other keys, or none.
    func command(_ arguments: [String], keys: [String]) throws -> (end: SpawnedProgram.End, text: String) {
        let program = try Millrace.start(["cluster"] + arguments + ["-c", self.directory.path] + self.flags + keys)
        let end = try program.waitForEnd()
        return (end, program.text)
    }

    /// Starts `millrace cluster members change` on the first member, and does not wait for its end.
    func startChange() throws -> SpawnedProgram {
        try Millrace.start(
            ["cluster", "members", "change", "-c", self.directory.path, "--set", "cluster.member=1"] + self.flags
                + self.keyFlags(of: "member-1")
        )
    }

    /// Starts a front on a host that is no member, at 127.0.0.9, and returns it once clients can connect.
    func startFront(keys: [String]) throws -> SpawnedProgram {
        let program = try Millrace.start(
            [
                "front", "-d", self.directory.file("data-front"), "-c", self.directory.path,
                "-b", "127.0.0.9:\(self.frontPort)", "-w", ":0",
            ] + self.flags + keys
        )
        try program.wait(forLineWith: "The front listens", within: Self.patience)
        return program
    }

    /// What the processes of a member have printed.
    func log(of member: UInt32) -> String {
        self.hosts.withLock { $0[member] }.map { program in
            // Takes in what has been written, and finds nothing.
            _ = try? program.wait(for: "nothing", within: .zero) { _ in Void?.none }
            return program.text
        } ?? ""
    }

    // MARK: Keys

    /// The settings of somebody who has these keys, and the list that every host has or another one.
    func keyFlags(of name: String, list: String = "allowed") -> [String] {
        guard !self.keyNames.isEmpty else { return [] }
        return [
            "--set", "cluster.curve_key=\(self.directory.file(name))",
            "--set", "cluster.curve_allowed=\(self.directory.file(list))",
        ]
    }

    /// Makes keys that no host has heard of, and a list that says that they may be anything.
    func makeStrangersKeys(_ name: String) throws {
        let key = try self.makeKey(name)
        try self.write("\(name)-list", ["front \(key)", "scheduler \(key)", "member 9 \(key)"])
    }

    /// Writes a list that says that the front may be a member.
    func writeForgedList(_ name: String) throws {
        let key = try String(contentsOfFile: self.directory.file("front.pub"), encoding: .utf8)
        try self.write(name, ["member 9 \(key)"])
    }

    /// Puts a front on the list that every host has, and returns once every manager goes by it.
    func admitFront(withKey name: String) throws {
        let key = try String(contentsOfFile: self.directory.file("\(name).pub"), encoding: .utf8)
        try self.write("allowed", ["front \(key)"])
        for program in self.hosts.withLock({ Array($0.values) }) {
            var next = program.lineCount
            program.send(SIGHUP)
            // Front, scheduler and manager.
            for _ in 0..<3 {
                try program.wait(for: "a reload", skipping: next, within: Self.patience) { line in
                    line.contains("the settings were read again") ? () : nil
                }
                let lines = program.text.split(separator: "\n", omittingEmptySubsequences: false)
                let found = lines.indices.first { $0 >= next && lines[$0].contains("the settings were read again") }
                next = (found ?? next) + 1
            }
        }
    }

    private func makeKeys() throws {
        for name in self.keyNames { _ = try self.makeKey(name) }
        if !self.keyNames.isEmpty { try self.write("allowed", []) }
    }

    private func makeKey(_ name: String) throws -> String {
        let program = try Millrace.start(["keys", self.directory.file(name)])
        _ = try program.waitForEnd()
        return try String(contentsOfFile: self.directory.file("\(name).pub"), encoding: .utf8)
    }

    /// Writes a list of everybody's keys and of some more.
    private func write(_ name: String, _ more: [String]) throws {
        var lines = more
        for keyName in self.keyNames {
            let key = try String(contentsOfFile: self.directory.file("\(keyName).pub"), encoding: .utf8)
            lines += keyName == "front" ? ["front \(key)"] : ["front \(key)", "scheduler \(key)"]
            if keyName != "front" { lines.append("member \(keyName.dropFirst("member-".count)) \(key)") }
        }
        try lines.joined(separator: "\n").write(
            toFile: self.directory.file(name),
            atomically: true,
            encoding: .utf8
        )
    }

    // MARK: Redis

    /// What `redis-cli` prints for a command to the Redis of a member.
    func redis(of member: UInt32, _ arguments: String...) throws -> String {
        let data = self.directory.file("data-\(member)")
        let password = try String(contentsOfFile: data + "/millrace-redis.password", encoding: .utf8)
        let program = try SpawnedProgram(
            "/usr/bin/redis-cli",
            ["-s", data + "/millrace-redis.sock", "--user", "manager", "--no-auth-warning"] + arguments,
            variables: ["REDISCLI_AUTH": password]
        )
        _ = try program.waitForEnd()
        return program.text
    }

    func status() throws -> Status {
        let text = try self.command(["status", "--json"]).text
        return try JSONDecoder().decode(Status.self, from: Data(text.utf8))
    }

    /// The status, once it is as it is waited for; nobody tells when that is.
    func status(when awaited: String, _ condition: (Status) -> Bool) throws -> Status {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let status = try self.status()
            if condition(status) { return status }
            guard ContinuousClock.now < deadline else {
                let logs = self.hosts.withLock { $0.values.map(\.text) }.joined(separator: "\n\n")
                throw SpawnedProgram.Failure.silent(awaited: awaited, output: "\(status)\n\(logs)")
            }
            usleep(Self.look)
        }
    }

    /// What says how the processes are set up, apart from what concerns one host alone.
    var flags: [String] {
        let settings = self.settings.merging(["cluster.members": self.memberList]) { given, _ in given }
        return settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }
}

extension SpawnedProgram {
    /// The id of the process that a supervisor started last for this role, if it has started one.
    fileprivate func processID(of role: Role) -> pid_t? {
        // Takes in what has been written, and finds nothing.
        _ = try? self.wait(for: "nothing", within: .zero) { _ in Void?.none }
        let starts = self.text.split(separator: "\n").filter { line in
            let words = line.split(separator: " ")
            return words.contains("started") && words.contains("process=\(role.rawValue)")
        }
        let word = starts.last?.split(separator: " ").first { $0.hasPrefix("pid=") }
        return word.flatMap { pid_t($0.dropFirst("pid=".count)) }
    }
}
