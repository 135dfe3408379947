/// Members of one etcd on the loopback address.
package final class EtcdCluster: Sendable {
    package let members: [EtcdServer]

    /// Starts the members and waits until all serve.
    package init(memberCount: Int = 3) throws {
        let ports = try (0..<memberCount).map { _ in (client: try freePort(), peer: try freePort()) }
        let cluster = ports.enumerated()
            .map { "m\($0.offset)=http://127.0.0.1:\($0.element.peer)" }
            .joined(separator: ",")
        self.members = try ports.enumerated().map { index, ports in
            try EtcdServer(
                name: "m\(index)",
                client: "http://127.0.0.1:\(ports.client)",
                peerPort: ports.peer,
                cluster: cluster
            )
        }
        // None serves before most have started.
        let waits = try self.members.map { try $0.start() }
        for wait in waits { try wait() }
    }

    package var endpoints: [String] { self.members.map(\.endpoint) }
}
