import Glibc
import NIOPosix
import NIOCore

/// How a connection is ended whose other host is gone and can say so no more.
///
/// The jobs of a worker are taken back only when all its connections are closed, and a host that lost its power closes none.
enum DeadPeers {
    /// For how long nothing came before the host is asked whether it is there, in seconds.
    static let idleSeconds: Int = 30
    /// How long each answer is waited for, in seconds.
    static let intervalSeconds: Int = 10
    /// How many answers may be missing.
    static let probeCount: Int = 3
    /// For how long what was sent may be unconfirmed, since nobody is asked meanwhile; in milliseconds.
    static let unconfirmedMilliseconds: Int = (idleSeconds + intervalSeconds * probeCount) * 1_000
}

extension ServerBootstrap {
    /// Ends connections to hosts that are gone, after a minute.
    func findingDeadPeers() -> Self {
        self.childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: DeadPeers.idleSeconds)
            .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: DeadPeers.intervalSeconds)
            .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: DeadPeers.probeCount)
            .childChannelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: DeadPeers.unconfirmedMilliseconds)
    }
}
