import Front

/// What a front does with the connections of Faktory clients.
package struct FrontSection: Sendable, Equatable {
    static let bindRange = 1...16
    static let longestSessionName = 64
    /// What a front has that is not told otherwise.
    private static let usual = FrontServer.Configuration()

    /// The addresses to listen on.
    package var bind = [HostPort(host: "127.0.0.1", port: 7419)]
    /// The password of clients, once ``PasswordRules`` has found it; `nil` lets everybody in.
    package var password: Secret?
    /// How many connections are open at once; one more is closed at once.
    package var maximumConnections = Self.usual.maximumConnectionCount
    /// The longest command line, in bytes, that is taken.
    package var maximumLineBytes = Self.usual.maximumLineByteCount
    /// How long a new connection may take to say HELLO.
    package var handshakeTimeout = Self.usual.handshakeTimeout
    /// How long commands are held while no leader answers, before their connections are closed.
    package var holdTimeout = Self.usual.lane.holdTimeout
    /// How long a FETCH waits for a job; some clients give up at two seconds.
    package var fetchWait = Self.usual.fetchWait
    /// How many threads serve connections.
    package var eventLoops = Self.usual.eventLoopCount
    /// How long a reply may wait for a client that does not read.
    package var writeTimeout = Self.usual.writeTimeout
    /// How long a client may take to send one command.
    package var lineTimeout = Self.usual.lineTimeout
    /// How many bytes are kept, for all clients together, of commands that have not ended and replies that were not
    /// taken; 64 KiB of each client do not count.
    package var maximumBufferBytes = Self.usual.bufferByteCount
    /// How many bytes of commands one thread holds that the leader has not answered; then it reads no more from clients.
    package var maximumHeldBytes = Self.usual.lane.heldByteCount
    /// A name for this front in logs and on the cluster page; empty for a random one.
    package var sessionName = ""
    /// Whether a second front may listen on the same port, as during a replacement.
    package var reusePort = false
    /// After how many wrong passwords of an address the next one waits longest for its answer; 0 for no wait at all.
    package var passwordAttempts = Self.usual.passwordTries.attempts

    package init() {}
}

extension FrontSection {
    static let group = SettingGroup(
        "front",
        """
        What clients and workers connect to. Faktory's [faktory] binding and password mean the same as bind and password \
        here.
        """,
        [
            Setting(
                "front.bind",
                \.front.bind,
                .addresses.counting(Self.bindRange, "addresses"),
                readBy: [.front],
                aliases: ["faktory.binding"],
                "One address or an array of them; an empty host, as in \":7419\", is every interface."
            ),
            Setting(
                "front.password",
                optional: \.front.password,
                .secret,
                readBy: [.front],
                isReloaded: true,
                aliases: ["faktory.password"],
                example: #""/etc/faktory/password""#,
                """
                A password, or the absolute path of a file that holds it. FAKTORY_PASSWORD goes before it. In staging and \
                production one is required, here, there, or in /etc/faktory/password.
                """
            ),
            Setting(
                "front.max_connections",
                \.front.maximumConnections,
                .integer(FrontServer.Configuration.connectionRange),
                readBy: [.front],
                "Connections beyond this number are closed at once."
            ),
            Setting(
                "front.max_line_bytes",
                \.front.maximumLineBytes,
                .byteCount(FrontServer.Configuration.lineByteRange),
                readBy: [.front],
                "The longest command; a longer one is answered with an error and nothing is stored."
            ),
            Setting(
                "front.handshake_timeout",
                \.front.handshakeTimeout,
                .duration(FrontServer.Configuration.handshakeRange),
                readBy: [.front],
                "How long a new connection may take to say HELLO."
            ),
            Setting(
                "front.hold_timeout",
                \.front.holdTimeout,
                .duration(FrontServer.Configuration.waitRange),
                readBy: [.front],
                "How long commands are held while no leader answers, before their connections are closed."
            ),
            Setting(
                "front.fetch_wait",
                \.front.fetchWait,
                .duration(FrontServer.Configuration.fetchRange),
                readBy: [.front],
                "How long a FETCH waits for a job. Some clients give up after two seconds."
            ),
            Setting(
                "front.event_loops",
                \.front.eventLoops,
                .integer(FrontServer.Configuration.eventLoopRange),
                readBy: [.front],
                "Threads for connections; more than one pays only on more than two cores."
            ),
            Setting(
                "front.write_timeout",
                \.front.writeTimeout,
                .duration(FrontServer.Configuration.waitRange),
                readBy: [.front],
                "How long a reply waits for a client that does not read."
            ),
            Setting(
                "front.line_timeout",
                \.front.lineTimeout,
                .duration(FrontServer.Configuration.waitRange),
                readBy: [.front],
                "How long a client may take to send one command, from its first byte to its end."
            ),
            Setting(
                "front.max_buffer_bytes",
                \.front.maximumBufferBytes,
                .byteCount(FrontServer.Configuration.bufferByteRange),
                readBy: [.front],
                """
                What is kept, for all clients together, of commands that have not ended and of replies that were not taken; \
                64 KiB of each client do not count. Beyond it the client for which most is kept, and for longest, is closed.
                """
            ),
            Setting(
                "front.max_held_bytes",
                \.front.maximumHeldBytes,
                .byteCount(FrontServer.Configuration.bufferByteRange),
                readBy: [.front],
                """
                Commands that one thread holds while the leader has not answered them; beyond it nothing more is read from \
                clients, who wait.
                """
            ),
            Setting(
                "front.session_name",
                \.front.sessionName,
                .text.that(mustBe: "at most \(Self.longestSessionName) visible ASCII characters") { name in
                    name.utf8.count <= Self.longestSessionName && name.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                },
                readBy: [.front],
                "A name for this front in logs and on pages; empty for a random one."
            ),
            Setting(
                "front.reuse_port",
                \.front.reusePort,
                .boolean,
                readBy: [.front],
                "Lets a second front listen on the same port, so that one can replace the other without a gap."
            ),
            Setting(
                "front.password_attempts",
                \.front.passwordAttempts,
                .integer(FrontServer.Configuration.passwordAttemptRange),
                readBy: [.front],
                """
                A wrong password is answered after a second; with each further one of its address the wait grows, and after \
                so many it is two seconds. 0 for no wait. The right password is never refused.
                """
            ),
        ]
    )
}
