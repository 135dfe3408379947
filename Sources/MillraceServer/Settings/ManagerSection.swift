package import Manager

/// How the manager keeps sessions, reservations and queues.
package struct ManagerSection: Sendable, Equatable {
    /// Where the manager listens for fronts and schedulers.
    package enum Endpoint: Sendable, Equatable {
        /// A Unix socket on this host.
        case ipc(path: String)
        /// A port, for fronts on other hosts.
        case tcp(HostPort)
    }

    static let timeoutRange: ClosedRange<Duration> = .seconds(1)...(.seconds(86_400))
    static let outcomeMemoryRange: ClosedRange<Duration> = .zero...(.seconds(3_600))
    static let queueLengthRange = 0...Int(Int32.max)
    static let memoryRange = 0...(1 << 50)
    static let mirrorMemoryRange = (16 << 20)...(1 << 40)
    static let batchRange = 1...65_536
    /// What a manager has that is not told otherwise.
    private static let usual = ManagerSettings()

    /// Where the link is; a socket in the storage directory when not set.
    package var endpoint: Endpoint?
    /// How long a front's session lives without a heartbeat.
    package var sessionTimeout = Self.usual.sessionTimeout
    /// How long after its last BEAT a worker without jobs is forgotten.
    package var workerTimeout = Self.usual.workerTimeout
    /// How long after its worker vanished a reserved job is given to another.
    package var releaseAfter = Self.usual.releaseAfter
    /// What becomes of such a job.
    package var vanished = Self.usual.vanished
    /// For how long it is remembered that a job was done.
    package var outcomeMemory = Self.usual.outcomeMemory
    /// How many jobs a queue holds before a PUSH to it is refused; 0 for no limit.
    package var maximumQueueLength = Self.usual.maximumQueueLength
    /// How many bytes Redis may use before a PUSH is refused; 0 for no limit.
    package var maximumMemory = Int(Self.usual.maximumStoreBytes)
    /// How many bytes the heads of queues take in the manager's memory at most.
    package var mirrorMemory = Self.usual.mirrorByteBound
    /// How many messages of fronts are committed together at most.
    package var batchLimit = Self.usual.turnMessageBound

    package init() {}
}

extension ManagerSection {
    static let group = SettingGroup(
        "manager",
        "The process that keeps the jobs.",
        [
            Setting(
                "manager.endpoint",
                optional: \.manager.endpoint,
                .endpoint,
                readBy: [.front, .manager, .scheduler],
                example: #""ipc:///var/lib/faktory/db/millrace-manager.sock""#,
                """
                Where fronts and schedulers reach it: ipc:// and an absolute path (of at most \(UnixSocketPath.longest) \
                bytes), or tcp:// with host and port. Without it a socket in the storage directory.
                """
            ),
            Setting(
                "manager.session_timeout",
                \.manager.sessionTimeout,
                .duration(Self.timeoutRange),
                readBy: [.manager],
                "How long a front's session lives without a heartbeat."
            ),
            Setting(
                "manager.worker_timeout",
                \.manager.workerTimeout,
                .duration(Self.timeoutRange),
                readBy: [.manager],
                "How long after its last BEAT a worker without jobs is forgotten, and its connections are closed."
            ),
            Setting(
                "manager.release_after",
                \.manager.releaseAfter,
                .duration(Self.timeoutRange),
                readBy: [.manager],
                """
                How long after its worker vanished a job is taken back: the worker had been beating, and there is neither \
                a connection nor a BEAT of it any more.
                """
            ),
            Setting(
                "manager.vanished",
                \.manager.vanished,
                .choice,
                readBy: [.manager],
                """
                What becomes of such a job: "release" puts it at the head of its queue and uses up no try, but buries it \
                the third time within 72 hours; "fail" spends a try, as the end of a reservation does.
                """
            ),
            Setting(
                "manager.outcome_memory",
                \.manager.outcomeMemory,
                .duration(Self.outcomeMemoryRange),
                readBy: [.manager],
                """
                For how long it is remembered that a job was done, in whole seconds: a PUSH of the same jid is answered and \
                runs nothing. At the most 1,000,000 jobs are remembered; 0 turns it off.
                """
            ),
            Setting(
                "manager.max_queue_length",
                \.manager.maximumQueueLength,
                .integer(Self.queueLengthRange),
                readBy: [.manager],
                "Jobs in a queue beyond which a PUSH to it is refused; 0 for no limit."
            ),
            Setting(
                "manager.max_memory",
                \.manager.maximumMemory,
                .byteCount(Self.memoryRange),
                readBy: [.manager],
                "Memory of Redis beyond which a PUSH is refused; 0 for no limit."
            ),
            Setting(
                "manager.mirror_memory",
                \.manager.mirrorMemory,
                .byteCount(Self.mirrorMemoryRange),
                readBy: [.manager],
                "Memory of the manager that the heads of all queues together may take; what is beyond it is read anew."
            ),
            Setting(
                "manager.batch_limit",
                \.manager.batchLimit,
                .integer(Self.batchRange),
                readBy: [.manager],
                "Messages of fronts, each with its batch of commands, that are committed together at most."
            ),
        ]
    )
}

extension ManagerSection.Endpoint: CustomStringConvertible {
    /// The endpoint as ZeroMQ spells it.
    package var description: String {
        switch self {
        case .ipc(let path): "ipc://\(path)"
        case .tcp(let address): "tcp://\(address)"
        }
    }

    /// Reads `ipc:///path` or `tcp://host:port`; `nil` for anything else.
    package init?(parsing text: String) {
        if text.hasPrefix("ipc:///") {
            self = .ipc(path: String(text.dropFirst("ipc://".count)))
        } else if text.hasPrefix("tcp://"), let address = HostPort(parsing: text.dropFirst("tcp://".count)),
            !address.host.isEmpty, address.port != 0
        {
            self = .tcp(address)
        } else {
            return nil
        }
    }
}
