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
    static let queueLengthRange = 0...Int(Int32.max)
    static let memoryRange = 0...(1 << 50)
    static let batchRange = 1...65_536

    /// Where the link is; a socket in the storage directory when not set.
    package var endpoint: Endpoint?
    /// How long a front's session lives without a heartbeat.
    package var sessionTimeout = Duration.seconds(60)
    /// How long after its last BEAT a worker is forgotten.
    package var workerTimeout = Duration.seconds(60)
    /// How long after its worker vanished a reserved job is given to another.
    package var releaseAfter = Duration.seconds(60)
    /// How many jobs a queue holds before a PUSH to it is refused; 0 for no limit.
    package var maximumQueueLength = 0
    /// How many bytes Redis may use before a PUSH is refused; 0 for no limit.
    package var maximumMemory = 0
    /// How many messages of fronts are committed together at most.
    package var batchLimit = 256

    package init() {}

    /// What is wrong with the values of this group.
    package func problems() -> [SettingProblem] {
        [
            SettingProblem.outside(Self.timeoutRange, "manager.session_timeout", self.sessionTimeout),
            .outside(Self.timeoutRange, "manager.worker_timeout", self.workerTimeout),
            .outside(Self.timeoutRange, "manager.release_after", self.releaseAfter),
            .outside(Self.queueLengthRange, "manager.max_queue_length", self.maximumQueueLength),
            .outside(Self.memoryRange, "manager.max_memory", self.maximumMemory),
            .outside(Self.batchRange, "manager.batch_limit", self.batchLimit),
        ].compactMap { $0 }
    }
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
