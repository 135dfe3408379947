import JobStorageRedis
import Logging
import NIOPosix
import Redis

/// Sees to a ``LogRepair`` of our own Redis, from the process that is there for as long as Redis is.
///
/// A manager whose disk is full may not be: it ends when it cannot write what it promised.
struct LogKeeper: Sendable {
    let endpoint: RedisEndpoint
    let options: RedisConnectionOptions
    /// Where Redis keeps its data.
    let directory: String
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
}
