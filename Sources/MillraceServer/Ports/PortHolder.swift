import Foundation
import Glibc
import ProcessFigures

/// Who listens on a TCP port of this host.
struct PortHolder: Sendable, Equatable {
    let processID: Int32
    /// The program's name, as the kernel has it.
    let name: String

    /// The kernel's word for a socket that listens, in its tables.
    private static let listening = "0A"

    /// Looks for whoever listens on the port; nil when nobody does, or when it belongs to a user whose processes we may
    /// not look into.
    static func find(port: Int) -> PortHolder? {
        var inodes: Set<Substring> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let text = KernelFile.text(of: table) else { continue }
            inodes.formUnion(Self.inodes(listeningOn: port, in: text).map { Substring($0) })
        }
        guard !inodes.isEmpty else { return nil }
        let names = inodes.map { "socket:[\($0)]" }
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes {
            guard let processID = Int32(process) else { continue }
            let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
            for descriptor in descriptors {
                let path = "/proc/\(process)/fd/\(descriptor)"
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { continue }
                guard names.contains(target) else { continue }
                let name = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
                return PortHolder(processID: processID, name: name.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        return nil
    }

    /// The sockets that listen on a port, by their inodes, out of the text of `/proc/net/tcp`.
    static func inodes(listeningOn port: Int, in table: String) -> [String] {
        let digits = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == Self.listening else { return nil }
            return String(fields[9])
        }
    }
}

extension PortHolder: CustomStringConvertible {
    var description: String { "\(self.name) (process \(self.processID))" }
}
