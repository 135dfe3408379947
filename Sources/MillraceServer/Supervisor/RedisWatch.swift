import Synchronization

/// Notices that our Redis has ended because its data cannot be read.
package final class RedisWatch: Sendable {
    private struct State {
        var processID: Int32?
        var failure: UnreadableData?
    }

    private let command: RedisServerCommand
    private let state = Mutex(State())
    private let found = Gate()

    package init(of command: RedisServerCommand) {
        self.command = command
    }

    /// What was found, if anything.
    package var failure: UnreadableData? { self.state.withLock { $0.failure } }

    /// Takes an event of the supervisor; returns at once.
    package func take(_ event: SupervisorEvent) {
        switch event {
        case .started(RedisServerCommand.childName, let processID):
            self.state.withLock { $0.processID = processID }
        case .exited(RedisServerCommand.childName, .code(let code)) where code != 0:
            guard let processID = self.state.withLock({ $0.processID }),
                let failure = UnreadableData(of: self.command, processID: processID)
            else { return }
            self.state.withLock { $0.failure = failure }
            self.found.open()
        default:
            break
        }
    }

    /// Waits until something is found; false when the task is cancelled before.
    package func findsUnreadableData() async -> Bool {
        await self.found.wait()
        return self.found.isOpen
    }
}
