import Redis

/// The `redis-server` of a member: its configuration and its command line.
///
/// It starts as a replica of the void and never becomes a primary by itself. The default user is off; the manager has a user
/// that may do everything, and the other members share one that may replicate and do nothing else. It never evicts, and
/// refuses to start with an append-only file that is torn or damaged.
package struct MemberRedisServer: Sendable, Equatable {
    /// Why the server cannot be given its configuration.
    package enum Problem: Error, Equatable {
        /// The path of the socket is longer than the system allows.
        case socketPath(String)
        /// A port is between 1 and 65535.
        case port(Int)
        /// A password is 16 to 512 visible ASCII characters; this is whose is not.
        case password(of: String)
        /// The user of the manager and that of the other members must differ, and so must their passwords.
        case sharedCredentials
        /// The part of the stream that is kept for replicas that come back is at least 1 MiB.
        case backlogByteCount(Int)
        /// There has to be an address to listen at, and none may have a blank in it.
        case listenAddresses([String])
    }

    /// When a write is on the disk.
    package enum Durability: Sendable, Equatable {
        /// Before it is answered or confirmed to the primary.
        case disk
        /// When the system writes it.
        case memory
    }

    /// A name and a password in Redis's access list.
    package struct User: Sendable, Equatable {
        package var name: String
        package var password: String

        package init(name: String, password: String) {
            self.name = name
            self.password = password
        }
    }

    /// The bounds for the length of a password in bytes.
    package static let passwordByteCounts = 16...512
    /// The least of the stream that can be kept, in bytes.
    package static let shortestBacklogByteCount = 1 << 20

    package let executable: String
    /// Where the data, the log and the configuration are kept.
    package let directory: String
    package let socketPath: String
    /// Where the other members reach it, and how it names itself to them.
    package let address: RedisAddress
    /// The addresses to listen at.
    package let listenAddresses: [String]
    package let durability: Durability
    package let manager: User
    package let replication: User
    /// How much of the stream is kept for a replica that comes back, in bytes.
    package let backlogByteCount: Int

    package init(
        executable: String = "redis-server",
        directory: String,
        socketPath: String,
        address: RedisAddress,
        listenAddresses: [String],
        durability: Durability,
        manager: User,
        replication: User,
        backlogByteCount: Int = 256 << 20
    ) throws(Problem) {
        guard socketPath.utf8.count <= RedisEndpoint.socketPathByteLimit else { throw .socketPath(socketPath) }
        guard (1...65_535).contains(address.port) else { throw .port(address.port) }
        for user in [manager, replication] {
            let isVisible = (user.name + user.password).utf8.allSatisfy { (0x21...0x7E).contains($0) }
            guard isVisible, !user.name.isEmpty, Self.passwordByteCounts.contains(user.password.utf8.count) else {
                throw .password(of: user.name)
            }
        }
        let names = [manager.name, replication.name, "default"]
        guard Set(names).count == names.count, manager.password != replication.password else {
            throw .sharedCredentials
        }
        guard backlogByteCount >= Self.shortestBacklogByteCount else { throw .backlogByteCount(backlogByteCount) }
        let areAddresses = listenAddresses.allSatisfy { address in
            !address.isEmpty && address.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard !listenAddresses.isEmpty, areAddresses else { throw .listenAddresses(listenAddresses) }
        self.executable = executable
        self.directory = directory
        self.socketPath = socketPath
        self.address = address
        self.listenAddresses = listenAddresses
        self.durability = durability
        self.manager = manager
        self.replication = replication
        self.backlogByteCount = backlogByteCount
    }

    /// Where the configuration is written.
    package var configurationPath: String { self.directory + "/" + RedisServerDirectives.configurationName }

    /// Everything behind the name of the program.
    package var arguments: [String] { [self.configurationPath] }

    /// Writes the configuration, readable by our user only; the directory must be there.
    package func prepare() throws(MemberFileError) {
        try DurableFile(path: self.configurationPath).replace(with: Array(self.configuration.utf8))
    }

    /// The configuration, as `redis.conf` has it.
    package var configuration: String {
        let storage = RedisServerDirectives.storage(
            in: self.directory,
            snapshotName: TransferFiles.completeName,
            syncsEachWrite: self.durability == .disk
        )
        return """
            # Written by millrace at each start.
            daemonize no
            databases 1
            timeout 0

            # The manager comes by the socket, the other members by the port.
            unixsocket \(RedisServerDirectives.quoted(self.socketPath))
            unixsocketperm 700
            bind \(self.listenAddresses.map { RedisServerDirectives.quoted($0) }.joined(separator: " "))
            port \(self.address.port)
            protected-mode yes
            # Nobody can be this user. But Redis loads its log in its name, and drops every transaction in there, without a
            # word, that this user would not be allowed to carry out.
            user default off resetpass allkeys allchannels +@all
            user \(self.manager.name) on \(RedisServerDirectives.quoted(">" + self.manager.password)) ~* &* +@all
            user \(self.replication.name) on \(RedisServerDirectives.quoted(">" + self.replication.password)) resetkeys resetchannels \
            -@all +psync +replconf +ping

            # Nobody but the manager makes this a primary.
            replicaof \(MemberRedis.void.host) \(MemberRedis.void.port)
            masteruser \(self.replication.name)
            masterauth \(RedisServerDirectives.quoted(self.replication.password))
            replica-announce-ip \(RedisServerDirectives.quoted(self.address.host))
            replica-announce-port \(self.address.port)
            replica-read-only yes
            replica-serve-stale-data yes
            repl-backlog-size \(self.backlogByteCount)
            repl-backlog-ttl 0
            repl-timeout 10
            repl-ping-replica-period 1
            repl-disable-tcp-nodelay no
            # A replica writes what it is sent to a file first, which is the trace of a data set that is not in its log yet.
            repl-diskless-load disabled
            repl-diskless-sync yes
            repl-diskless-sync-delay 0
            rdb-del-sync-files no

            \(storage)

            """
    }
}
