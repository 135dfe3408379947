/// What a front does with the connections of Faktory clients.
package struct FrontSection: Sendable, Equatable {
    static let connectionRange = 1...1_000_000
    static let lineByteRange = 1_024...(64 << 20)
    static let bufferByteRange = (1 << 20)...(1 << 40)
    static let eventLoopRange = 1...256
    static let passwordAttemptRange = 0...1_000_000
    static let bindRange = 1...16
    static let longestSessionName = 64
    static let handshakeRange: ClosedRange<Duration> = .milliseconds(100)...(.seconds(60))
    static let holdRange: ClosedRange<Duration> = .zero...(.seconds(300))
    static let fetchRange: ClosedRange<Duration> = .milliseconds(1)...(.seconds(60))
    static let writeRange: ClosedRange<Duration> = .milliseconds(100)...(.seconds(300))
    static let lineRange: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3_600))

    /// The addresses to listen on.
    package var bind = [HostPort(host: "127.0.0.1", port: 7419)]
    /// The password of clients, once ``PasswordRules`` has found it; `nil` lets everybody in.
    package var password: Secret?
    /// How many connections are open at once; one more is closed at once.
    package var maximumConnections = 10_000
    /// The longest command line, in bytes, that is taken.
    package var maximumLineBytes = 8 << 20
    /// How long a new connection may take to say HELLO.
    package var handshakeTimeout = Duration.seconds(2)
    /// How long commands are held while no leader answers, before their connections are closed.
    package var holdTimeout = Duration.seconds(10)
    /// How long a FETCH waits for a job; some clients give up at two seconds.
    package var fetchWait = Duration.milliseconds(1_900)
    /// How many threads serve connections.
    package var eventLoops = 1
    /// How long a reply may wait for a client that does not read.
    package var writeTimeout = Duration.seconds(10)
    /// How long a client may take to send one command.
    package var lineTimeout = Duration.seconds(60)
    /// How many bytes are kept, for all clients together, of commands that have not ended and replies that were not
    /// taken; 64 KiB of each client do not count.
    package var maximumBufferBytes = 256 << 20
    /// How many bytes of commands one thread holds that the leader has not answered; then it reads no more from clients.
    package var maximumHeldBytes = 256 << 20
    /// A name for this front in logs and on the cluster page; empty for a random one.
    package var sessionName = ""
    /// Whether a second front may listen on the same port, as during a replacement.
    package var reusePort = false
    /// How many wrong passwords in a row one peer may send before it has to wait; 0 for no limit.
    package var passwordAttempts = 10

    package init() {}

    /// What is wrong with the values of this group.
    package func problems() -> [SettingProblem] {
        var problems = [
            SettingProblem.outside(Self.connectionRange, "front.max_connections", self.maximumConnections),
            .outside(Self.lineByteRange, "front.max_line_bytes", self.maximumLineBytes),
            .outside(Self.handshakeRange, "front.handshake_timeout", self.handshakeTimeout),
            .outside(Self.holdRange, "front.hold_timeout", self.holdTimeout),
            .outside(Self.fetchRange, "front.fetch_wait", self.fetchWait),
            .outside(Self.eventLoopRange, "front.event_loops", self.eventLoops),
            .outside(Self.writeRange, "front.write_timeout", self.writeTimeout),
            .outside(Self.lineRange, "front.line_timeout", self.lineTimeout),
            .outside(Self.bufferByteRange, "front.max_buffer_bytes", self.maximumBufferBytes),
            .outside(Self.bufferByteRange, "front.max_held_bytes", self.maximumHeldBytes),
            .outside(Self.passwordAttemptRange, "front.password_attempts", self.passwordAttempts),
        ].compactMap { $0 }
        if !Self.bindRange.contains(self.bind.count) {
            let reason = "must name 1 to \(Self.bindRange.upperBound) addresses, not \(self.bind.count)"
            problems.append(SettingProblem(setting: "front.bind", reason: reason))
        }
        let allowed = self.sessionName.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        if self.sessionName.utf8.count > Self.longestSessionName || !allowed {
            let reason = "must be at most \(Self.longestSessionName) visible ASCII characters"
            problems.append(SettingProblem(setting: "front.session_name", reason: reason))
        }
        return problems
    }
}
