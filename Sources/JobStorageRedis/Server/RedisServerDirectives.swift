/// What every `redis.conf` of ours has in common.
package enum RedisServerDirectives {
    /// The log's file, in the directory of the data.
    package static let logName = "millrace-redis.log"
    /// What stands on the command line for a configuration that is read from standard input.
    ///
    /// A path would be taken for a pattern if it has brackets in it, and a pattern that matches nothing for no
    /// configuration at all: Redis would serve with its own, on every interface.
    package static let standardInput = "-"
    /// The configuration's file there.
    package static let configurationName = "millrace-redis.conf"
    /// What the append-only file is called, and the directory of its parts.
    static let appendFileName = "millrace.aof"
    package static let appendDirectoryName = "millrace-aof"
    /// The list of the append-only file's parts, in the directory of the data.
    package static let manifestPath = "\(appendDirectoryName)/\(appendFileName).manifest"

    /// How data is kept: in an append-only file alone, torn tails refused, nothing ever evicted.
    ///
    /// - Parameters:
    ///   - directory: where the data and the log are kept.
    ///   - snapshotName: what a data set is called that comes from a primary.
    ///   - syncsEachWrite: whether a write is on the disk before it is answered; otherwise it is with the kernel.
    package static func storage(in directory: String, snapshotName: String, syncsEachWrite: Bool) -> String {
        """
        dir \(Self.quoted(directory))
        logfile \(Self.quoted(directory + "/" + Self.logName))
        loglevel notice
        dbfilename \(snapshotName)
        save ""
        appendonly yes
        appendfilename \(Self.appendFileName)
        appenddirname \(Self.appendDirectoryName)
        appendfsync \(syncsEachWrite ? "always" : "no")
        no-appendfsync-on-rewrite no
        aof-use-rdb-preamble yes
        aof-load-truncated no
        aof-rewrite-incremental-fsync yes
        auto-aof-rewrite-percentage 100
        auto-aof-rewrite-min-size 64mb
        maxmemory 0
        maxmemory-policy noeviction
        lazyfree-lazy-user-del yes
        latency-monitor-threshold 20
        slowlog-log-slower-than 10000
        slowlog-max-len 256
        """
    }

    /// A value as Redis reads it back: in double quotes, whatever bytes it has.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += "\\" + String(Unicode.Scalar(byte))
            case 0x20..<0x7F: quoted += String(Unicode.Scalar(byte))
            default: quoted += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return quoted + "\""
    }
}
