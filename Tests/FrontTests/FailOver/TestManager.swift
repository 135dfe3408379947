import ClusterLinkZeroMQ
import Election
import JobStorage
import Logging
import Manager
import TestSupport
import ThreadConfinement
import ZeroMQ

/// A real manager over ZeroMQ whose leadership a test decides, and whose data it shares with others.
final class TestManager: Sendable {
    let endpoint: String
    let mute = MutableLink.Mute()
    private let election = ScriptedElection()
    private let stop = StopSignal()
    private let thread: DedicatedThread<String?>

    /// Starts a manager that does not lead.
    ///
    /// - Parameter endpoint: where it listens.
    init(at endpoint: String, over data: InMemoryJobData) {
        let (election, stop, mute) = (self.election, self.stop, self.mute)
        self.endpoint = endpoint
        self.thread = DedicatedThread(name: "manager") {
            do {
                let link = try ZeroMQLeaderLink(endpoint: endpoint, in: try ZeroMQContext())
                let loop = LeaderLoop(
                    link: MutableLink(link, mute: mute),
                    store: InMemoryJobStore(over: data),
                    election: election,
                    settings: ManagerSettings(),
                    extend: { _ in },
                    clocks: .system,
                    stop: stop,
                    logger: Logger(label: "manager") { _ in SwiftLogNoOpLogHandler() }
                )
                try loop.run()
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    deinit {
        self.stop.request()
        self.thread.join()
    }

    /// The manager leads from now on.
    func elect(in epoch: UInt64) {
        self.election.elect(in: epoch)
    }

    /// Ends it, and returns once its connections are gone; what went wrong with it, if anything did.
    func end() async -> String? {
        self.stop.request()
        return await self.thread.value()
    }
}

/// Several managers over the same data.
struct TestManagers {
    let data = InMemoryJobData()
    let managers: [TestManager]
    private let directory: TemporaryDirectory
    private let context: ZeroMQContext

    init(count: Int) throws {
        let directory = try TemporaryDirectory()
        let data = self.data
        self.directory = directory
        self.context = try ZeroMQContext()
        self.managers = (0..<count).map { TestManager(at: "ipc://\(directory.file("manager-\($0)"))", over: data) }
    }

    /// A front's links to all of them.
    func makeLinks() -> [ZeroMQPolledPeerLink] {
        self.managers.map { ZeroMQPolledPeerLink(endpoint: $0.endpoint, in: self.context) }
    }
}
