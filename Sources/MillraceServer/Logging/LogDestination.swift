import Glibc
package import Logging
import Synchronization

/// Where log lines go, how they look, and how much is logged: one for a process, shared by all its loggers.
package final class LogDestination: Sendable {
    /// How long a line may wait for a reader of a full pipe before it is given up.
    private static let patience: Int32 = 1_000

    private let descriptor: Int32
    private let format: LogSection.Format
    private let isColoured: Bool
    private let threshold: Mutex<Logger.Level>
    /// Held while a line is written, so that a line that the system takes in two pieces stays in one.
    private let writing = Mutex<Void>(())

    /// Makes a destination for an open descriptor, which stays its owner's.
    ///
    /// - Parameters:
    ///   - settings: how much is logged, and in which form.
    ///   - descriptor: standard output if not told otherwise.
    ///   - isColoured: whether text lines have a coloured letter; by default when the descriptor is a terminal and
    ///     the variable `NO_COLOR` is unset or empty.
    package init(_ settings: LogSection, descriptor: Int32 = STDOUT_FILENO, isColoured: Bool? = nil) {
        self.descriptor = descriptor
        self.format = settings.format
        self.threshold = Mutex(settings.level.threshold)
        self.isColoured = isColoured ?? Self.takesColour(descriptor)
    }

    /// The least level that is logged by loggers that have not been given one of their own.
    package var level: Logger.Level { self.threshold.withLock { $0 } }

    /// Changes how much is logged, from now on and for every logger.
    package func setLevel(_ level: LogSection.Level) {
        self.threshold.withLock { $0 = level.threshold }
    }

    /// A logger that writes here.
    package func logger(label: String) -> Logger {
        Logger(label: label) { _ in LineLogHandler(destination: self) }
    }

    /// Writes one line; it is lost if the descriptor cannot take it, since there is nobody to tell.
    func write(_ message: String, level: Logger.Level, metadata: [(key: String, value: String)]) {
        let line = LogLine(
            message,
            level: level,
            metadata: metadata,
            milliseconds: LogTimestamp.now(),
            format: self.format,
            isColoured: self.isColoured
        )
        self.writing.withLock { _ in self.writeAll(line.bytes) }
    }

    private func writeAll(_ line: [UInt8]) {
        line.withUnsafeBytes { line in
            var rest = line[...]
            while !rest.isEmpty {
                let count = Glibc.write(self.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&waiting, 1, Self.patience) > 0 else { return }
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    private static func takesColour(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        guard let veto = getenv("NO_COLOR") else { return true }
        return veto.pointee == 0
    }
}

extension LogSection.Level {
    /// The least level that is logged: warnings and errors always are, as in Faktory.
    package var threshold: Logger.Level {
        switch self {
        case .error, .warn: .warning
        case .info: .info
        case .debug: .debug
        }
    }
}
