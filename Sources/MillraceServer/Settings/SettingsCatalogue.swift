/// Every setting there is: files, variables, flags and `config check` all go by this list.
package enum SettingsCatalogue {
    /// In the order in which they are shown.
    package static let all: [Setting] = [
        Setting("mode", \.mode, .choice),
        Setting("durability", \.durability, .choice),
        Setting("storage_directory", \.storageDirectory, .text),

        Setting("front.bind", \.front.bind, .addresses, aliases: ["faktory.binding"]),
        Setting("front.password", optional: \.front.password, .secret, aliases: ["faktory.password"]),
        Setting("front.max_connections", \.front.maximumConnections, .integer),
        Setting("front.max_line_bytes", \.front.maximumLineBytes, .byteCount),
        Setting("front.handshake_timeout", \.front.handshakeTimeout, .duration),
        Setting("front.hold_timeout", \.front.holdTimeout, .duration),
        Setting("front.fetch_wait", \.front.fetchWait, .duration),
        Setting("front.event_loops", \.front.eventLoops, .integer),
        Setting("front.write_timeout", \.front.writeTimeout, .duration),
        Setting("front.line_timeout", \.front.lineTimeout, .duration),
        Setting("front.max_buffer_bytes", \.front.maximumBufferBytes, .byteCount),
        Setting("front.max_held_bytes", \.front.maximumHeldBytes, .byteCount),
        Setting("front.session_name", \.front.sessionName, .text),
        Setting("front.reuse_port", \.front.reusePort, .boolean),
        Setting("front.password_attempts", \.front.passwordAttempts, .integer),

        Setting("web.bind", \.web.bind, .address, aliases: ["web.binding"]),
        Setting("web.password", optional: \.web.password, .secret),

        Setting("manager.endpoint", optional: \.manager.endpoint, .endpoint),
        Setting("manager.session_timeout", \.manager.sessionTimeout, .duration),
        Setting("manager.worker_timeout", \.manager.workerTimeout, .duration),
        Setting("manager.release_after", \.manager.releaseAfter, .duration),
        Setting("manager.max_queue_length", \.manager.maximumQueueLength, .integer),
        Setting("manager.max_memory", \.manager.maximumMemory, .byteCount),
        Setting("manager.batch_limit", \.manager.batchLimit, .integer),

        Setting("redis.socket", optional: \.redis.socket, .text),
        Setting("redis.address", optional: \.redis.address, .address),
        Setting("redis.username", optional: \.redis.username, .text),
        Setting("redis.password", optional: \.redis.password, .secret),
        Setting("redis.prefix", \.redis.prefix, .text),
        Setting("redis.server", \.redis.server, .text),

        Setting("cluster.name", \.cluster.name, .text),
        Setting("cluster.member", optional: \.cluster.member, .integer),
        Setting("cluster.members", \.cluster.members, .members),
        Setting("cluster.manager_port", \.cluster.managerPort, .integer),
        Setting("cluster.peer_port", \.cluster.peerPort, .integer),
        Setting("cluster.redis_port", \.cluster.redisPort, .integer),
        Setting("cluster.etcd", \.cluster.etcd, .texts),
        Setting("cluster.etcd_user", optional: \.cluster.etcdUser, .text),
        Setting("cluster.etcd_password", optional: \.cluster.etcdPassword, .secret),
        Setting("cluster.etcd_authorities", optional: \.cluster.etcdAuthorities, .text),
        Setting("cluster.etcd_certificate", optional: \.cluster.etcdCertificate, .text),
        Setting("cluster.etcd_private_key", optional: \.cluster.etcdPrivateKey, .text),
        Setting("cluster.redis_password", optional: \.cluster.redisPassword, .secret),
        Setting("cluster.curve_key", optional: \.cluster.curveKey, .text),
        Setting("cluster.curve_allowed", optional: \.cluster.curveAllowed, .text),
        Setting("cluster.lease_ttl", \.cluster.leaseTimeToLive, .duration),
        Setting("cluster.heartbeat_interval", \.cluster.heartbeatInterval, .duration),
        Setting("cluster.heartbeat_silence", \.cluster.heartbeatSilence, .duration),

        Setting("scheduler.scheduled_interval", \.scheduler.scheduledInterval, .duration),
        Setting("scheduler.retries_interval", \.scheduler.retriesInterval, .duration),
        Setting("scheduler.reap_interval", \.scheduler.reapInterval, .duration),
        Setting("scheduler.purge_interval", \.scheduler.purgeInterval, .duration),
        Setting("scheduler.workers_interval", \.scheduler.workersInterval, .duration),

        Setting("log.level", \.log.level, .choice),
        Setting("log.format", \.log.format, .choice),

        Setting("tls.certificate", optional: \.tls.certificate, .text),
        Setting("tls.private_key", optional: \.tls.privateKey, .text),
    ]

    private static let byName: [String: Setting] = {
        var settings: [String: Setting] = [:]
        for setting in Self.all {
            for name in [setting.name] + setting.aliases { settings[name] = setting }
        }
        return settings
    }()

    /// The names that a file may use, aliases included.
    package static let names: [String] = Self.all.flatMap { [$0.name] + $0.aliases }

    /// The tables that a file may have.
    package static let groups: [String] = {
        var groups: [String] = []
        for name in Self.names {
            if let dot = name.firstIndex(of: "."), !groups.contains(String(name[..<dot])) {
                groups.append(String(name[..<dot]))
            }
        }
        return groups
    }()

    /// The setting of a name or alias.
    package static func setting(named name: String) -> Setting? { Self.byName[name] }
}
