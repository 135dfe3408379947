import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the settings again at each SIGHUP; what cannot be read changes nothing.
struct Reloader: Service {
    let loader: SettingsLoader
    let loaded: LoadedSettings
    let logger: Logger
    /// Takes over what can change while the process runs.
    let apply: @Sendable (LoadedSettings) throws -> Void

    func run() async throws {
        var current = self.loaded
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            switch self.loader.reload() {
            case .failure(let failure):
                self.logger.warning("\(failure)")
            case .success(let loaded):
                do {
                    try self.apply(loaded)
                    self.tell(loaded.changes(from: current))
                    current = loaded
                } catch {
                    self.logger.warning("Unable to reload config: \(error)")
                }
            }
        }
    }

    /// Says which settings have changed, and which of them wait for a start.
    private func tell(_ changes: [String]) {
        let reloaded = changes.filter { SettingsCatalogue.setting(named: $0)?.isReloaded ?? false }
        let waiting = changes.filter { !reloaded.contains($0) }
        self.logger.info("the settings were read again", metadata: ["changed": "\(reloaded)"])
        guard !waiting.isEmpty else { return }
        self.logger.warning("settings have changed that need a start", metadata: ["changed": "\(waiting)"])
    }
}
