import ElectionEtcd
import ServiceLifecycle

/// Looks now and then whether etcd is well, for the operator: a leader that has its lease asks it for nothing else.
struct EtcdCare: Service {
    private static let interval = Duration.seconds(30)

    let register: EtcdLeaderRegister

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.register.checkHealth()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
