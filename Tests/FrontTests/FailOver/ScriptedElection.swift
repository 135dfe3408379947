import Election
import JobCore
import Synchronization

/// An election whose outcome a test decides.
final class ScriptedElection: Election {
    private let epoch = Mutex<Epoch?>(nil)

    /// The manager leads from now on, until it resigns.
    func elect(in epoch: UInt64) {
        self.epoch.withLock { $0 = Epoch(epoch) }
    }

    var mayLoad: Bool { self.epoch.withLock { $0 != nil } }

    let needsProof = false

    func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        self.epoch.withLock { $0 }.flatMap { $0 > latest ? Leadership(epoch: $0, trustedUntil: nil) : nil }
    }

    func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty { .lead }

    func onChange(_ notify: @escaping @Sendable () -> Void) {}

    func resign(_ leadership: Leadership) {
        self.epoch.withLock { if $0 == leadership.epoch { $0 = nil } }
    }
}
