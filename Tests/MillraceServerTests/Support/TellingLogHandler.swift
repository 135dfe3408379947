import Logging
import TestSupport

/// A log whose lines a test can wait for: the message, and behind it each `name=value` in the order of the names.
struct TellingLogHandler: LogHandler {
    private let lines: Told<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ lines: Told<String>) {
        self.lines = lines
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        self.lines.put("\(event.message)" + facts.joined())
    }
}
