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

    func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        self.epoch.withLock { $0 }.flatMap { $0 > latest ? Leadership(epoch: $0, trustedUntil: nil) : nil }
    }

    func resign(_ leadership: Leadership) {
        self.epoch.withLock { if $0 == leadership.epoch { $0 = nil } }
    }
}
