import JobStorageRedis
import Logging
import NIOPosix
import Redis

/// Looks after the log of our own Redis, from the process that is there for as long as Redis is.
///
/// It sees to a ``LogRepair``, and notes how far the log is whole (``LogMark``). A manager whose disk is full may not be
/// there: it ends when it cannot write what it promised. A Redis that syncs each write ends then, too, and needs no repair.
struct LogKeeper: Sendable {
    let endpoint: RedisEndpoint
    let options: RedisConnectionOptions
    /// Where Redis keeps its data.
    let directory: String
    let durability: Settings.Durability
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        var repair = LogRepair()
        while !Task.isCancelled {
            try? await Task.sleep(for: repair.pause)
            let before = repair
            // Redis may take its time to answer.
            repair = (try? await NIOThreadPool.singleton.runIfActive { self.takeStep(of: before) }) ?? before
        }
    }

    /// Does the next thing; a Redis that does not answer is asked again.
    private func takeStep(of before: LogRepair) -> LogRepair {
        var repair = before
        // Before Redis is asked, so that it has written no more than it says.
        let manifest = try? LogManifest.read(in: self.directory)
        let length = manifest?.length
        guard var connection = try? RedisConnection.open(self.endpoint, with: self.options),
            let text = try? connection.command("INFO", "persistence").string
        else { return before }
        let isSameLog = (try? LogManifest.read(in: self.directory)) == manifest
        if isSameLog, let manifest { self.note(manifest, text) }
        guard self.durability == .memory else { return before }
        switch repair.take(text, length: isSameLog ? length : nil) {
        case .nothing: break
        case .report: self.logger.error("Redis cannot write its log; is its disk full?")
        case .rewrite:
            guard let reply = try? connection.command("BGREWRITEAOF"), reply.error == nil else { break }
            repair.noteRewrite()
            self.logger.warning("Redis can write its log again, and writes it anew")
        case .done: self.logger.notice("Redis has written its log anew")
        }
        return repair
    }

    /// Notes how much of the log is whole, and on the disk.
    ///
    /// What Redis says that it has written, in a turn in which it answers, is whole. It is noted only of a log with one part
    /// that grows, and not while a disk that was full may have left a gap in it.
    private func note(_ manifest: LogManifest, _ persistence: String) {
        guard let part = manifest.onlyIncrement, let length = manifest.length,
            let written = LogRepair.incrementByteCount(of: persistence, length: length), written > 0
        else { return }
        let mark = LogMark(file: part.name, byteCount: written)
        guard LogMark.read(in: self.directory) != mark else { return }
        // With durability "disk" Redis has synced what it says that it has written.
        guard self.durability == .disk || part.sync() else { return }
        do {
            try mark.write(in: self.directory)
        } catch {
            self.logger.debug("what is whole of Redis's log cannot be noted", metadata: ["reason": "\(error)"])
        }
    }
}
