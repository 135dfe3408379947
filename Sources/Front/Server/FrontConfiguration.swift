package import NIOSSL

extension FrontServer {
    /// What a front must be told.
    package struct Configuration: Sendable {
        /// Address to listen on; empty for every interface, of both families where the system has IPv6.
        package var host: String
        /// Port to listen on; 0 for any that is free.
        package var port: Int
        /// Whether another front may listen on the same port at the same time, to take the place of this one.
        ///
        /// Clients whose commands come too late for this one are then closed without a word, since there is another to
        /// turn to.
        package var reusesPort = false
        /// How long a port that somebody else has is waited for.
        package var bindPatience: Duration = .seconds(10)
        /// How many threads serve clients.
        package var eventLoopCount = 1
        /// What clients must prove to know; nil for none.
        package var password: String?
        /// Whether clients of protocol versions below 2 hash the password only once, as upstream lets them.
        package var allowsLegacyHash = true
        /// What a wrong password costs.
        package var passwordTries = PasswordTries.Limits()
        /// Certificate and key; nil for plain TCP.
        package var tls: TLSConfiguration?
        /// Clients that may have said HELLO at the same time.
        package var maximumConnectionCount = 10_000
        /// Sockets beyond them that may be open without HELLO.
        package var unidentifiedMargin = 256
        /// The longest line in bytes.
        package var maximumLineByteCount = 8 << 20
        /// Commands of one connection that may wait for an answer.
        package var pipelineDepth = 256
        /// From accept to the end of HELLO.
        package var handshakeTimeout: Duration = .seconds(2)
        /// How long a client may take no byte of what was written to it.
        package var writeTimeout: Duration = .seconds(10)
        /// From the first byte of a command to its end.
        package var lineTimeout: Duration = .seconds(60)
        /// Bytes that are kept of commands that have not ended and of replies that were not taken, of all clients
        /// together; 64 KiB of each client do not count.
        package var bufferByteCount = 256 << 20
        /// How long a FETCH waits for a job.
        package var fetchWait: Duration = .milliseconds(1_900)
        /// How long clients have to come to an end when the front stops.
        package var drainTimeout: Duration = .seconds(10)
        /// The front's name; the session of an older front of the same name ends when this one comes.
        package var name = ""
        /// The program and its version, for people to read.
        package var software = "millrace"
        /// What each lane holds, and for how long.
        package var lane = LaneLimits()

        package init(host: String = "127.0.0.1", port: Int = 7419) {
            self.host = host
            self.port = port
        }

        /// Throws the first thing that cannot be.
        package func check() throws(FrontError) {
            try self.require((0...65_535).contains(self.port), "port", "is not between 0 and 65535")
            let counts = [
                ("eventLoopCount", self.eventLoopCount, Self.eventLoopRange),
                ("maximumConnectionCount", self.maximumConnectionCount, Self.connectionRange),
                ("unidentifiedMargin", self.unidentifiedMargin, Self.connectionRange),
                ("maximumLineByteCount", self.maximumLineByteCount, Self.lineByteRange),
                ("passwordTries.attempts", self.passwordTries.attempts, Self.passwordAttemptRange),
                ("pipelineDepth", self.pipelineDepth, Self.pipelineRange),
                ("bufferByteCount", self.bufferByteCount, Self.bufferByteRange),
                ("lane.heldByteCount", self.lane.heldByteCount, Self.bufferByteRange),
            ]
            for (field, count, range) in counts {
                try self.require(
                    range.contains(count),
                    field,
                    "is not between \(range.lowerBound) and \(range.upperBound)"
                )
            }
            let times = [
                ("handshakeTimeout", self.handshakeTimeout, Self.handshakeRange),
                ("writeTimeout", self.writeTimeout, Self.waitRange),
                ("lineTimeout", self.lineTimeout, Self.waitRange),
                ("fetchWait", self.fetchWait, Self.fetchRange),
                ("drainTimeout", self.drainTimeout, Self.waitRange),
                ("lane.holdTimeout", self.lane.holdTimeout, Self.waitRange),
                ("lane.resendInterval", self.lane.resendInterval, Self.waitRange),
            ]
            for (field, time, range) in times {
                try self.require(
                    range.contains(time),
                    field,
                    "is not between \(range.lowerBound) and \(range.upperBound)"
                )
            }
            try self.require(self.password != "", "password", "is empty")
        }

        private func require(_ condition: Bool, _ field: String, _ reason: String) throws(FrontError) {
            guard condition else { throw .configuration(field: field, reason: reason) }
        }
    }
}

// The bounds of what a front may be told. The settings have no others.
extension FrontServer.Configuration {
    package static let eventLoopRange = 1...64
    package static let connectionRange = 1...1_000_000
    package static let lineByteRange = 1_024...(64 << 20)
    package static let passwordAttemptRange = 0...1_000_000
    package static let bufferByteRange = 65_536...(1 << 40)
    static let pipelineRange = 1...65_536
    package static let handshakeRange: ClosedRange<Duration> = .milliseconds(10)...(.seconds(60))
    package static let fetchRange: ClosedRange<Duration> = .milliseconds(1)...(.seconds(60))
    /// Of every other wait.
    package static let waitRange: ClosedRange<Duration> = .milliseconds(10)...(.seconds(3_600))
}
