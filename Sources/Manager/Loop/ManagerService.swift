package import ClusterLink
package import Election
package import JobStorage
package import Logging
import ServiceLifecycle
import ThreadConfinement

/// The manager role: runs the leader's loop on a thread of its own until it is told to stop.
package struct ManagerService: Service {
    private let settings: ManagerSettings
    private let election: any Election
    private let makeLink: @Sendable () throws -> any LeaderLink
    private let makeStore: @Sendable () throws -> any JobStore
    private let extend: @Sendable (JobManager) -> Void
    private let clocks: Clocks
    private let logger: Logger

    /// - Parameters:
    ///   - makeLink: opens the link; called on the loop's thread, as is `makeStore`.
    ///   - extend: adds middleware and a fetcher to each manager that is made.
    package init(
        settings: ManagerSettings,
        election: any Election,
        clocks: Clocks = .system,
        logger: Logger,
        makeLink: @escaping @Sendable () throws -> any LeaderLink,
        makeStore: @escaping @Sendable () throws -> any JobStore,
        extend: @escaping @Sendable (JobManager) -> Void
    ) {
        self.settings = settings
        self.election = election
        self.clocks = clocks
        self.logger = logger
        self.makeLink = makeLink
        self.makeStore = makeStore
        self.extend = extend
    }

    package func run() async throws {
        let stop = StopSignal()
        let thread = DedicatedThread<Result<Void, any Error>>(name: "leader") {
            Result { try self.lead(until: stop) }
        }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await thread.value().get()
        } onCancelOrGracefulShutdown: {
            stop.request()
        }
    }

    private func lead(until stop: StopSignal) throws {
        let loop = LeaderLoop(
            link: try self.makeLink(),
            store: try self.makeStore(),
            election: self.election,
            settings: self.settings,
            extend: self.extend,
            clocks: self.clocks,
            stop: stop,
            logger: self.logger
        )
        try loop.run()
    }
}
