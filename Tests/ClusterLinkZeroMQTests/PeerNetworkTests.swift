import ClusterLinkZeroMQ
import Election
import JobCore
import TestSupport
import Testing
import ZeroMQ

@Suite("The members' network")
struct PeerNetworkTests {
    /// One end, with what it was told.
    private final class End: Sendable {
        let network: ZeroMQPeerNetwork
        let told = Told<PeerNetworkEvent>()

        init(_ number: UInt8, ports: [UInt8: Int]) throws {
            let endpoints = ports.mapValues { "tcp://127.0.0.1:\($0)" }
            let others = endpoints.filter { $0.key != number }.map { (MemberID($0.key), $0.value) }
            self.network = try ZeroMQPeerNetwork(
                member: MemberID(number),
                endpoint: try #require(endpoints[number]),
                others: Dictionary(others, uniquingKeysWith: { first, _ in first }),
                in: try ZeroMQContext()
            )
            let told = self.told
            try self.network.start { told.put($0) }
        }

        func wait(for event: PeerNetworkEvent, skipping skipped: Int = 0) throws {
            try self.told.wait(for: "\(event)", skipping: skipped) { $0 == event ? () : nil }
        }
    }

    private let ports: [UInt8: Int]

    init() throws {
        self.ports = [1: try freePort(), 2: try freePort(), 3: try freePort()]
    }

    private static func heartbeat(_ epoch: UInt64) -> PeerMessage { .heartbeat(Epoch(epoch)) }

    @Test("a message arrives with the number of the member that sent it")
    func message() throws {
        let (first, second) = (try End(1, ports: self.ports), try End(2, ports: self.ports))
        defer { first.network.close() }
        defer { second.network.close() }
        try first.wait(for: .connected(MemberID(2)))
        try second.wait(for: .connected(MemberID(1)))
        first.network.send(Self.heartbeat(5), to: MemberID(2))
        try second.wait(for: .message(Self.heartbeat(5), from: MemberID(1)))
        second.network.send(.cutRefused(Epoch(5), promised: Epoch(6)), to: MemberID(1))
        try first.wait(for: .message(.cutRefused(Epoch(5), promised: Epoch(6)), from: MemberID(2)))
    }

    @Test("it is told when another member is gone and when it is back, and hears nothing that was said meanwhile")
    func reconnection() throws {
        let first = try End(1, ports: self.ports)
        defer { first.network.close() }
        let second = try End(2, ports: self.ports)
        try first.wait(for: .connected(MemberID(2)))
        second.network.close()
        try first.wait(for: .disconnected(MemberID(2)))
        first.network.send(Self.heartbeat(1), to: MemberID(2))

        let again = try End(2, ports: self.ports)
        defer { again.network.close() }
        let before = first.told.elements.count
        try first.wait(for: .connected(MemberID(2)), skipping: min(before, 2))
        first.network.send(Self.heartbeat(2), to: MemberID(2))
        try again.wait(for: .message(Self.heartbeat(2), from: MemberID(1)))
        #expect(!again.told.elements.contains(.message(Self.heartbeat(1), from: MemberID(1))))
    }

    @Test("who names himself a member that is none is heard by nobody, nor is what is no message")
    func strangers() throws {
        let first = try End(1, ports: self.ports)
        defer { first.network.close() }
        let context = try ZeroMQContext()
        let port = try #require(self.ports[1])
        for (identity, bytes) in [("member-9", Self.heartbeat(1).encoded()), ("member-2", [1, 2, 3])] {
            var options = ZeroMQSocketOptions()
            options.identity = Array(identity.utf8)
            options.linger = .seconds(5)
            let socket = try ZeroMQSocket(.dealer, in: context, options: options)
            try socket.connect(to: "tcp://127.0.0.1:\(port)")
            _ = try socket.send(bytes, wait: true)
        }
        let third = try End(3, ports: self.ports)
        defer { third.network.close() }
        try third.wait(for: .connected(MemberID(1)))
        third.network.send(Self.heartbeat(3), to: MemberID(1))
        try first.wait(for: .message(Self.heartbeat(3), from: MemberID(3)))
        let messages = first.told.elements.filter { if case .message = $0 { true } else { false } }
        #expect(messages == [.message(Self.heartbeat(3), from: MemberID(3))])
    }

    @Test("an operator's question is answered to the one who asked")
    func question() throws {
        let first = try End(1, ports: self.ports)
        defer { first.network.close() }
        let port = try #require(self.ports[1])
        let link = try ZeroMQPeerLink(endpoint: "tcp://127.0.0.1:\(port)", in: try ZeroMQContext())
        let mailbox = try link.start()
        defer { link.close() }
        link.send(MemberRequest.status.encoded())
        let asker = try first.told.wait(for: "the question") { event -> PeerAsker? in
            guard case .question(let bytes, let asker) = event, bytes == MemberRequest.status.encoded() else {
                return nil
            }
            return asker
        }
        first.network.answer([4, 2], to: asker)
        #expect(try mailbox.take(1) == [[4, 2]])
        // Nobody is there any more; nothing comes of it.
        first.network.answer([4, 3], to: PeerAsker(identity: [0, 1, 2, 3, 4]))
    }
}
