import Foundation
import JobStorageRedis
import Logging
import UnixSignals

/// The roles of one host as child processes of one supervisor.
///
/// The children are the same processes that run in production; nothing takes a short cut.
struct RoleProcesses {
    /// A child that never came up, because of which everything was stopped.
    struct Failure: Error, CustomStringConvertible {
        let child: String

        var description: String {
            let place = self.child == RedisServerCommand.childName ? "in its log" : "above"
            return "the \(self.child) cannot be started; its own last line, \(place), says why"
        }
    }

    /// Through which program children are started, so that they end with this process.
    private static let executable = "/proc/self/exe"

    let settings: Settings
    let options: CommandLineOptions
    /// What the front is called if the settings do not say.
    let frontName: String

    /// The lock that Redis and the manager share.
    private var childrenLock: ChildrenLock { ChildrenLock(directory: self.settings.storageDirectory) }

    /// Waits until those of an earlier run are gone, whose supervisor was killed perhaps.
    func waitForEarlierChildren(_ logger: Logger) throws {
        try self.childrenLock.waitUntilFree {
            logger.notice("waiting for the Redis and the manager of an earlier run to end")
        }
    }

    /// The same Redis, which can be told to have ended by the lock.
    func redis(_ child: ChildProcess) -> ChildProcess {
        child.sharing(self.childrenLock.path)
    }

    /// A front, a manager and a scheduler, with our own flags.
    func children(environment: [String: String]) throws -> [ChildProcess] {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: Self.executable)
        // A front that takes the place of one that died takes its session's place, too.
        let sessionName = self.settings.front.sessionName
        let environment = environment.merging(self.options.secretVariables) { _, secret in secret }
        let name = ["--set", "front.session_name=\(sessionName.isEmpty ? self.frontName : sessionName)"]
        return [("manager", []), ("scheduler", []), ("front", name)].map { role, more in
            ChildProcess(
                name: role,
                executable: path,
                arguments: [role] + self.options.arguments + more,
                environment: environment,
                // It has a socket beside Redis's, and promises in a file there.
                lock: role == "manager" ? self.childrenLock.path : nil
            )
        }
    }

    /// Keeps the children running until the process is told to stop; `announce` runs beside them, and is cancelled then.
    ///
    /// Throws `UnreadableData` when the watch has found that our Redis cannot read its data: nothing would change that.
    func run(
        _ children: [ChildProcess],
        watch: RedisWatch? = nil,
        logger: Logger,
        announce: @escaping @Sendable () async -> Void
    ) async throws {
        let directory = self.settings.storageDirectory
        let isStopping = Gate()
        let supervisor = Supervisor(children: children, launcher: Self.executable) { name in
            // Each time: it may have been killed while it wrote.
            if name == RedisServerCommand.childName { try Self.cutLog(in: directory, logger) }
        } report: { event in
            if case .stopping = event { isStopping.open() }
            self.log(event, isStopping: isStopping.isOpen, logger)
            watch?.take(event)
            // A Redis that ends in good order has synced its log.
            if event == .exited(RedisServerCommand.childName, .code(0)) { Self.noteWholeLog(in: directory) }
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { await supervisor.receive(signal.rawValue) }
            }
            group.addTask { await announce() }
            if let watch {
                group.addTask {
                    if await watch.findsUnreadableData() { supervisor.stop() }
                }
            }
            await supervisor.run()
            group.cancelAll()
        }
        if let failure = watch?.failure { throw failure }
        if let name = supervisor.givenUp { throw Failure(child: name) }
        logger.info("stopped")
    }

    /// Cuts off the log of a Redis of our own what was never acknowledged, before that is started.
    static func cutLog(in directory: String, _ logger: Logger) throws {
        if let tail = try ZeroedTail.cut(in: directory) {
            logger.warning(
                "cut off the zeros at the end of Redis's log, which a power cut leaves",
                metadata: ["file": "\(tail.path)", "bytes": "\(tail.byteCount)"]
            )
        }
        switch try UnfinishedTail.cut(in: directory) {
        case .nothing: break
        case .cut(let tail):
            logger.warning(
                "cut off a transaction that Redis had not finished writing, and nobody was told of",
                metadata: [
                    "file": "\(tail.path)", "bytes": "\(tail.byteCount)",
                    "kept": "\(tail.keptPath ?? "no, for lack of space")",
                ]
            )
        case .refused(.damaged(let path, let offset)):
            logger.error(
                "Redis's log is damaged, and is left as it is",
                metadata: ["file": "\(path)", "offset": "\(offset)"]
            )
        case .refused(.acknowledged(let path, let offset, let noted)):
            logger.error(
                "Redis's log ends in the middle of something that may have been acknowledged, and is left as it is",
                metadata: [
                    "file": "\(path)", "offset": "\(offset)", "complete": "\(noted.map { "\($0)" } ?? "unknown")",
                ]
            )
        }
    }

    /// Notes that all of the log is whole; without the note less is known, and nothing is wrong.
    private static func noteWholeLog(in directory: String) {
        guard let manifest = try? LogManifest.read(in: directory), let part = manifest.onlyIncrement,
            let length = manifest.length
        else { return }
        try? LogMark(file: part.name, byteCount: length.increments).write(in: directory)
    }

    private func log(_ event: SupervisorEvent, isStopping: Bool, _ logger: Logger) {
        switch event {
        case .started(let name, let processID):
            logger.info("started", metadata: ["process": "\(name)", "pid": "\(processID)"])
        case .failedToStart(let name, let reason):
            logger.error("could not be started", metadata: ["process": "\(name)", "reason": "\(reason)"])
        case .exited(let name, let end):
            guard !isStopping else {
                return logger.info("ended", metadata: ["process": "\(name)", "how": "\(end)"])
            }
            var metadata: Logger.Metadata = ["process": "\(name)", "how": "\(end)"]
            if let meaning = end.meaning { metadata["meaning"] = "\(meaning)" }
            if name == RedisServerCommand.childName {
                metadata["log"] = "\(self.settings.storageDirectory)/\(RedisServerDirectives.logName)"
            }
            logger.error("ended by itself", metadata: metadata)
        case .gaveUp(let name, let end):
            logger.error(
                "cannot be started, so that everything is stopped",
                metadata: ["process": "\(name)", "how": "\(end)"]
            )
        case .restarting(let name, let wait):
            logger.warning("starts again", metadata: ["process": "\(name)", "in": "\(wait)"])
        case .stopping(let name):
            logger.info("stopping", metadata: ["process": "\(name)"])
        case .killed(let name):
            logger.error("did not stop in time and was killed", metadata: ["process": "\(name)"])
        }
    }
}
