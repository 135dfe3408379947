import Foundation

/// Finds the processes of a server that runs on this machine.
///
/// It looks for the process that listens on the server's port. If `millrace dev` started that one, the others that it
/// started belong to the server too. What belongs to other users may not be seen, and is then not found.
package struct ServerProcessFinder {
    private static let listening = "0A"
    private static let roles = ["front", "manager", "scheduler"]

    private let root: String
    private let files = FileManager.default

    /// - Parameter root: where the kernel shows its processes; another directory in tests.
    package init(root: String = "/proc") {
        self.root = root
    }

    /// The processes by what they are, in the order of their ids; empty when nothing is found.
    package func processes(listeningOn port: Int) -> [BenchOptions.WatchedProcess] {
        let sockets = Set(["tcp", "tcp6"].flatMap { Self.sockets(listeningOn: port, in: self.text("net/\($0)")) })
        let all = self.processIDs
        guard let front = all.first(where: { !sockets.isDisjoint(with: self.files(of: $0)) }) else { return [] }
        guard let parent = self.parent(of: front), self.command(of: parent).dropFirst().first == "dev" else {
            return self.named([front])
        }
        return self.named(all.filter { self.parent(of: $0) == parent })
    }

    /// What the kernel's table of sockets calls those that wait for connections at a port, at any address.
    package static func sockets(listeningOn port: Int, in table: String) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == Self.listening,
                let local = fields[1].split(separator: ":").last, Int(local, radix: 16) == port
            else { return nil }
            return "socket:[\(fields[9])]"
        }
    }

    private func named(_ processIDs: [Int32]) -> [BenchOptions.WatchedProcess] {
        processIDs.compactMap { id in
            Self.name(of: self.command(of: id)).map { BenchOptions.WatchedProcess(name: $0, processID: id) }
        }
    }

    private static func name(of command: [String]) -> String? {
        guard let program = command.first else { return nil }
        // Redis writes its address behind its name.
        if program.hasPrefix("redis-server") { return "redis" }
        return command.dropFirst().first.flatMap { Self.roles.contains($0) ? $0 : nil }
    }

    private var processIDs: [Int32] {
        let names = (try? self.files.contentsOfDirectory(atPath: self.root)) ?? []
        return names.compactMap { Int32($0) }.sorted()
    }

    private func parent(of id: Int32) -> Int32? {
        let stat = self.text("\(id)/stat")
        guard let bracket = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    private func command(of id: Int32) -> [String] {
        self.text("\(id)/cmdline").split(separator: "\0").map(String.init)
    }

    /// What the open files of a process are.
    private func files(of id: Int32) -> [String] {
        let directory = "\(self.root)/\(id)/fd"
        let names = (try? self.files.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { try? self.files.destinationOfSymbolicLink(atPath: "\(directory)/\($0)") }
    }

    /// The text of a file; empty when it cannot be read.
    private func text(_ path: String) -> String {
        String(decoding: self.files.contents(atPath: "\(self.root)/\(path)") ?? Data(), as: UTF8.self)
    }
}
