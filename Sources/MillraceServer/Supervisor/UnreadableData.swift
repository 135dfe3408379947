import Foundation
import JobStorageRedis

/// Our Redis has ended because it cannot read what it kept; starting it again would not help.
///
/// Redis is told never to start without the end of its log (`aof-load-truncated no`): jobs that were acknowledged would be
/// missing, and nobody would know. What to give up is for an operator to decide.
package struct UnreadableData: Error, Equatable {
    /// How much of the end of its log is looked at, in bytes.
    private static let lookBackByteCount = 64 * 1024
    /// What Redis says of an append-only file, its manifest or its snapshot before it gives up.
    private static let complaints = [
        "reading the append only file", "Unable to obtain the AOF file", "AOF manifest",
        "error, aborting now", "Internal error in RDB",
    ]

    /// Where the data is.
    package let directory: String
    /// What Redis said.
    package let complaint: String

    /// - Parameters:
    ///   - directory: where Redis keeps its data.
    ///   - log: what it logged, of all its starts.
    ///   - processID: the process that has ended.
    /// - Returns: nil when that process said nothing of the kind.
    package init?(in directory: String, log: String, processID: Int32) {
        let own = log.split(separator: "\n").filter { $0.hasPrefix("\(processID):") }
        let line = own.last { line in Self.complaints.contains { line.contains($0) } }
        guard let line, let mark = line.range(of: " # ") else { return nil }
        self.directory = directory
        self.complaint = String(line[mark.upperBound...])
    }

    /// Looks into the log of a Redis that was started with ``RedisServerCommand``.
    package init?(of command: RedisServerCommand, processID: Int32) {
        guard let file = FileHandle(forReadingAtPath: command.logPath), let size = try? file.seekToEnd() else {
            return nil
        }
        defer { try? file.close() }
        let lookBack = UInt64(Self.lookBackByteCount)
        guard (try? file.seek(toOffset: size > lookBack ? size - lookBack : 0)) != nil,
            let bytes = try? file.readToEnd()
        else { return nil }
        self.init(in: command.directory, log: String(decoding: bytes, as: UTF8.self), processID: processID)
    }
}

extension UnreadableData: CustomStringConvertible {
    package var description: String {
        """
        redis-server cannot read its data in \(self.directory), and nothing is served without it. It says: \
        \(self.complaint) -- Make a copy of \(self.directory)/\(RedisServerDirectives.appendDirectoryName) first. Then \
        "redis-check-aof --fix \(self.directory)/\(RedisServerDirectives.manifestPath)" cuts off what cannot be read and \
        says how many bytes that is; the jobs in them are lost. Then start again
        """
    }
}
