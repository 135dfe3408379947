public import Logging
public import NIOCore
import NIOPosix

/// Where a server is, how to talk to it, and within which bounds.
public struct ClientConfiguration: Sendable {
    /// The port that Faktory servers listen on unless told otherwise.
    public static let defaultPort = 7419

    /// The server's name or address.
    public var host: String
    /// The server's port.
    public var port: Int
    /// The password that the server asks for, if it does.
    public var password: String?
    /// A user's name, sent along for proxies that route by it.
    public var username: String?
    /// How to encrypt the connections; nil for plain TCP.
    public var tls: TLSOptions?
    /// The worker process as which connections introduce themselves; nil for clients that only push and ask.
    public var identity: WorkerIdentity?

    /// How long making a connection may take, and the same again for the handshake on it.
    public var connectTimeout: Duration
    /// How long an answer may take. Servers hold a FETCH for 2 s, and any command while they change leaders.
    public var commandTimeout: Duration
    /// How often, and how soon, a command is tried again when the connection fails.
    public var reconnection: Backoff
    /// Whether a push is sent again when its connection broke before the answer.
    ///
    /// Millrace stores a job once however often it is pushed under the same id. Upstream's server may store it twice;
    /// switch this off there if that is worse than an error.
    public var resendsPushes: Bool

    /// The most connections that are open at once.
    public var maximumConnectionCount: Int
    /// The most callers that may wait for a connection; one more fails at once.
    public var maximumWaiterCount: Int

    /// The threads that do the I/O.
    public var eventLoopGroup: any EventLoopGroup
    /// Where the client reports what it does; nowhere unless set. Arguments of jobs are never logged.
    public var logger: Logger

    /// Starts from the defaults: no password, no TLS, ten connections.
    public init(host: String = "localhost", port: Int = Self.defaultPort) {
        self.host = host
        self.port = port
        self.password = nil
        self.username = nil
        self.tls = nil
        self.identity = nil
        self.connectTimeout = .seconds(5)
        self.commandTimeout = .seconds(15)
        self.reconnection = Backoff()
        self.resendsPushes = true
        self.maximumConnectionCount = 10
        self.maximumWaiterCount = 1000
        self.eventLoopGroup = MultiThreadedEventLoopGroup.singleton
        self.logger = Logger(label: "FaktoryClient", factory: { _ in SwiftLogNoOpLogHandler() })
    }
}
