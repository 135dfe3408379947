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
                environment: environment
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
        let isStopping = Gate()
        let supervisor = Supervisor(children: children, launcher: Self.executable) { event in
            if case .stopping = event { isStopping.open() }
            self.log(event, isStopping: isStopping.isOpen, logger)
            watch?.take(event)
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

    /// Repairs what a power cut does to the log of a Redis of our own, before that is started.
    static func cutZeroedTail(in directory: String, _ logger: Logger) throws {
        guard let tail = try ZeroedTail.cut(in: directory) else { return }
        logger.warning(
            "cut off the zeros at the end of Redis's log, which a power cut leaves",
            metadata: ["file": "\(tail.path)", "bytes": "\(tail.byteCount)"]
        )
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
