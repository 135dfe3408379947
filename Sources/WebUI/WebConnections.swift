import JobCore
import Logging
import NIOCore
import Synchronization

/// The open connections of a web server, of which there is a bound.
///
/// At the bound a new one takes the place of the one that has been without a request for longest, so that sockets on which
/// nothing is asked cannot keep out those on which something is.
final class WebConnections: Sendable {
    private struct Connection {
        let channel: any Channel
        /// Since when nothing has been asked; nil while a request is under way.
        var quietSince: NIODeadline?
    }

    private struct State {
        var connections: [UInt64: Connection] = [:]
        var lastNumber: UInt64 = 0
        var log = SampledLines<String>(bound: 1)
    }

    private let bound: Int
    private let logger: Logger
    private let state = Mutex(State())

    init(bound: Int, logger: Logger) {
        self.bound = bound
        self.logger = logger
    }

    var count: Int { self.state.withLock { $0.connections.count } }

    /// Takes in a connection, which is counted until it is closed.
    ///
    /// - Returns: its number; nil when all that are there are being served.
    func admit(_ channel: any Channel) -> UInt64? {
        let now = NIODeadline.now()
        let (number, replaced, told) = self.state.withLock { state -> (UInt64?, (any Channel)?, Int?) in
            var replaced: (any Channel)?
            var told: Int?
            if state.connections.count >= self.bound {
                told = state.log.note("", at: Uptime(nanoseconds: Int64(clamping: now.uptimeNanoseconds)))
                guard let quietest = Self.quietest(of: state) else { return (nil, nil, told) }
                replaced = state.connections.removeValue(forKey: quietest)?.channel
            }
            state.lastNumber += 1
            state.connections[state.lastNumber] = Connection(channel: channel, quietSince: now)
            return (state.lastNumber, replaced, told)
        }
        replaced?.close(promise: nil)
        if let told {
            self.logger.warning(
                "too many web connections are open: closed the one without a request for longest",
                metadata: ["bound": "\(self.bound)", "count": "\(told)"]
            )
        }
        if let number {
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { state in _ = state.connections.removeValue(forKey: number) }
            }
        }
        return number
    }

    /// Notes whether a request of a connection is under way.
    func note(_ number: UInt64, isBusy: Bool) {
        self.state.withLock { $0.connections[number]?.quietSince = isBusy ? nil : .now() }
    }

    private static func quietest(of state: State) -> UInt64? {
        let quiet = state.connections.compactMap { number, connection in
            connection.quietSince.map { (number: number, since: $0) }
        }
        return quiet.min { ($0.since, $0.number) < ($1.since, $1.number) }?.number
    }
}
