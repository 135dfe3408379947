package import Logging

/// Writes what a logger is given as one line, in the order of the keys.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let destination: LogDestination
    private var ownLevel: Logger.Level?

    package init(destination: LogDestination) {
        self.destination = destination
    }

    /// The destination's level, which may change at any time, until this logger is given one of its own.
    package var logLevel: Logger.Level {
        get { self.ownLevel ?? self.destination.level }
        set { self.ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var merged = self.metadata
        if let provided = self.metadataProvider?.get() { merged.merge(provided) { _, new in new } }
        if let given = event.metadata { merged.merge(given) { _, new in new } }
        var pairs = merged.map { (key: $0.key, value: $0.value.description) }
        pairs.sort { $0.key < $1.key }
        if let error = event.error { pairs.append((key: "error", value: "\(error)")) }
        self.destination.write(event.message.description, level: event.level, metadata: pairs)
    }
}
