import Foundation
import MillraceServer
import Testing

@Suite("The processes of a server on this machine")
struct ServerProcessFinderTests {
    private static let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    private static func line(port: String, state: String, inode: Int) -> String {
        "   0: 0100007F:\(port) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000     0        0 \(inode) 1\n"
    }

    /// A directory that looks like `/proc`, in which port 7419 is process 12's.
    private struct Machine: ~Copyable {
        let root = NSTemporaryDirectory() + "millrace-proc-" + UUID().uuidString

        init() throws {
            try self.write("net/tcp", ServerProcessFinderTests.head)
            try self.write(
                "net/tcp6",
                ServerProcessFinderTests.head + ServerProcessFinderTests.line(port: "1CFB", state: "0A", inode: 77)
            )
        }

        deinit {
            try? FileManager.default.removeItem(atPath: self.root)
        }

        func write(_ path: String, _ text: String) throws {
            let file = URL(filePath: "\(self.root)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try text.write(to: file, atomically: false, encoding: .utf8)
        }

        func run(_ id: Int, parent: Int, _ command: [String], socket: Int? = nil) throws {
            try self.write("\(id)/stat", "\(id) (a name) S) S \(parent) 1 1")
            try self.write("\(id)/cmdline", command.map { $0 + "\0" }.joined())
            guard let socket else { return }
            let directory = "\(self.root)/\(id)/fd"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory)/5",
                withDestinationPath: "socket:[\(socket)]"
            )
        }

        func found(port: Int) -> [BenchOptions.WatchedProcess] {
            ServerProcessFinder(root: self.root).processes(listeningOn: port)
        }
    }

    @Test("whoever listens on the port is found, and what the same dev started")
    func dev() throws {
        let machine = try Machine()
        try machine.run(9, parent: 1, ["/usr/bin/millrace", "dev"])
        try machine.run(10, parent: 9, ["redis-server unixsocket:/tmp/redis.sock"])
        try machine.run(11, parent: 9, ["/usr/bin/millrace", "manager"])
        try machine.run(12, parent: 9, ["/usr/bin/millrace", "front", "-b", ":7419"], socket: 77)
        try machine.run(13, parent: 9, ["sleep", "1"])
        try machine.run(14, parent: 1, ["/usr/bin/millrace", "scheduler"])
        let expected: [BenchOptions.WatchedProcess] = [
            .init(name: "redis", processID: 10), .init(name: "manager", processID: 11),
            .init(name: "front", processID: 12),
        ]
        #expect(machine.found(port: 7419) == expected)
        #expect(machine.found(port: 7420).isEmpty)
    }

    @Test("a front that was started alone stands for itself")
    func alone() throws {
        let machine = try Machine()
        try machine.run(1, parent: 0, ["/sbin/init"])
        try machine.run(11, parent: 1, ["/usr/bin/millrace", "manager"])
        try machine.run(12, parent: 1, ["/usr/bin/millrace", "front"], socket: 77)
        #expect(machine.found(port: 7419) == [.init(name: "front", processID: 12)])
    }

    @Test("a listener that is no front is nothing to watch")
    func stranger() throws {
        let machine = try Machine()
        try machine.run(1, parent: 0, ["/sbin/init"])
        try machine.run(12, parent: 1, ["/usr/sbin/proxy", "-p", "7419"], socket: 77)
        #expect(machine.found(port: 7419).isEmpty)
    }

    @Test("only sockets that listen count, and only those of the port")
    func sockets() {
        let table =
            Self.head + Self.line(port: "1CFB", state: "0A", inode: 1) + Self.line(port: "1CFB", state: "01", inode: 2)
            + Self.line(port: "1CFC", state: "0A", inode: 3) + "torn\n"
        #expect(ServerProcessFinder.sockets(listeningOn: 7419, in: table) == ["socket:[1]"])
        #expect(ServerProcessFinder.sockets(listeningOn: 7419, in: "").isEmpty)
    }
}
