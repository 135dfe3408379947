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
                    self.logger.info(
                        "the settings were read again",
                        metadata: ["changed": "\(loaded.changes(from: current))"]
                    )
                    current = loaded
                } catch {
                    self.logger.warning("Unable to reload config: \(error)")
                }
            }
        }
    }
}
