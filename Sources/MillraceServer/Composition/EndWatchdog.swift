import Foundation
import Glibc
import Logging
import ServiceLifecycle

/// Ends the process when its orderly end takes too long, and says so.
///
/// It is the last of a group's services, and so the first that hears of the end. Every step of an end has a bound of its
/// own; this is for the one that was forgotten, which would otherwise leave a process that neither serves nor is started
/// again.
struct EndWatchdog: Service {
    /// Longer than all steps of a role, and shorter than a supervisor waits before it kills.
    static let bound = Duration.seconds(14)
    /// What the process ends with then.
    static let exitCode: Int32 = 1

    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        Self.arm(bound: Self.bound, logger: self.logger)
    }

    /// Begins to count; a process that ends by itself meanwhile never hears of it.
    static func arm(bound: Duration, logger: Logger) {
        // No task: those may be what hangs.
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: bound / .seconds(1))
            logger.error("the end takes too long, and is cut short", metadata: ["after": "\(bound)"])
            _exit(Self.exitCode)
        }
    }
}
