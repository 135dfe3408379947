import ClusterLinkZeroMQ
import Election
import JobCore
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// Three members that only hear each other, and who else talks to them.
@Suite("The members' network, encrypted")
struct EncryptedNetworkTests {
    /// Everybody's keys and ports.
    private struct Members {
        let ports: [UInt8: Int]
        let keys: [UInt8: CurveKeyPair]
        let front: CurveKeyPair

        init() throws {
            var ports: [UInt8: Int] = [:]
            var keys: [UInt8: CurveKeyPair] = [:]
            for number in UInt8(1)...3 {
                ports[number] = try freePort()
                keys[number] = try CurveKeyPair.generate()
            }
            self.ports = ports
            self.keys = keys
            self.front = try CurveKeyPair.generate()
        }

        func keyring(without revoked: UInt8? = nil) throws -> LinkKeyring {
            let lines = self.keys.filter { $0.key != revoked }.map { "member \($0.key) \($0.value.publicKey.text)" }
            let text = (lines + ["front \(self.front.publicKey.text)"]).joined(separator: "\n")
            return try LinkKeyring(parsing: text, path: "allowed")
        }

        func endpoint(of member: UInt8) throws -> String { "tcp://127.0.0.1:\(try #require(self.ports[member]))" }

        /// Somebody who connects to member 1 with these keys, or plainly.
        func makeStranger(_ keys: CurveKeyPair?, named identity: String?) throws -> ZeroMQSocket {
            var options = ZeroMQSocketOptions()
            options.identity = identity.map { Array($0.utf8) }
            if let keys { options.curve = .client(keys, serverKey: try #require(self.keys[1]).publicKey) }
            let socket = try ZeroMQSocket(.dealer, in: try ZeroMQContext(), options: options)
            try socket.connect(to: try self.endpoint(of: 1))
            return socket
        }
    }

    /// One member's end, with what it was told and whom it turned away.
    private final class End: Sendable {
        let network: ZeroMQPeerNetwork
        let gate: KeyGate
        let told = Told<PeerNetworkEvent>()
        let refused = Told<CurveKey?>()

        init(_ number: UInt8, of members: Members) throws {
            let context = try ZeroMQContext()
            let credentials = LinkCredentials(
                keys: try #require(members.keys[number]),
                keyring: try members.keyring()
            )
            let refused = self.refused
            self.gate = try KeyGate(credentials.keyring, in: context) { refused.put($0.key) }
            let others = try members.ports.keys.filter { $0 != number }.map { other in
                (MemberID(other), try members.endpoint(of: other))
            }
            let securities = try others.map { ($0.0, try credentials.connecting(toMember: Int($0.0.number))) }
            self.network = try ZeroMQPeerNetwork(
                member: MemberID(number),
                endpoint: try members.endpoint(of: number),
                others: Dictionary(uniqueKeysWithValues: others),
                in: context,
                security: MemberSecurity(
                    own: try credentials.listening(asMember: Int(number), at: .members, behind: self.gate),
                    others: Dictionary(uniqueKeysWithValues: securities)
                )
            )
            let told = self.told
            try self.network.start { told.put($0) }
        }

        func wait(for event: PeerNetworkEvent) throws {
            try self.told.wait(for: "\(event)") { $0 == event ? () : nil }
        }

        func close() {
            self.network.close()
            self.gate.close()
        }
    }

    private static func heartbeat(_ epoch: UInt64) -> PeerMessage { .heartbeat(Epoch(epoch)) }

    @Test("a message arrives with the number of the member whose key it came under, and so does an operator's question")
    func message() throws {
        let members = try Members()
        let (first, second) = (try End(1, of: members), try End(2, of: members))
        defer { first.close() }
        defer { second.close() }
        try second.wait(for: .connected(MemberID(1)))
        second.network.send(Self.heartbeat(5), to: MemberID(1))
        try first.wait(for: .message(Self.heartbeat(5), from: MemberID(2)))

        let operatorsCommand = try members.makeStranger(try #require(members.keys[2]), named: nil)
        #expect(try operatorsCommand.send(MemberRequest.status.encoded(), wait: true))
        try first.told.wait(for: "a question") { event in
            if case .question(MemberRequest.status.encoded(), _) = event { () } else { nil }
        }
    }

    @Test("a member's key does not let it speak as another member")
    func impostor() throws {
        let members = try Members()
        let first = try End(1, of: members)
        defer { first.close() }
        let impostor = try members.makeStranger(try #require(members.keys[3]), named: "member-2")
        #expect(try impostor.send(Self.heartbeat(9).encoded(), wait: true))
        let witness = try members.makeStranger(try #require(members.keys[3]), named: "member-3")
        #expect(try witness.send(Self.heartbeat(5).encoded(), wait: true))
        try first.wait(for: .message(Self.heartbeat(5), from: MemberID(3)))
        // What came before on another connection may be read after; what comes now is not.
        #expect(try impostor.send(Self.heartbeat(9).encoded(), wait: true))
        #expect(try witness.send(Self.heartbeat(6).encoded(), wait: true))
        try first.wait(for: .message(Self.heartbeat(6), from: MemberID(3)))
        #expect(!first.told.elements.contains(.message(Self.heartbeat(9), from: MemberID(2))))
    }

    @Test("a member's key that calls itself another member does not keep that one from being heard")
    func noFlapping() throws {
        let members = try Members()
        let first = try End(1, of: members)
        defer { first.close() }
        let second = try End(2, of: members)
        defer { second.close() }
        try second.wait(for: .connected(MemberID(1)))
        second.network.send(Self.heartbeat(1), to: MemberID(1))
        try first.wait(for: .message(Self.heartbeat(1), from: MemberID(2)))
        let impostor = try members.makeStranger(try #require(members.keys[3]), named: "member-2")
        #expect(try impostor.send(Self.heartbeat(9).encoded(), wait: true))
        let witness = try members.makeStranger(try #require(members.keys[3]), named: "member-3")
        #expect(try witness.send(Self.heartbeat(5).encoded(), wait: true))
        try first.wait(for: .message(Self.heartbeat(5), from: MemberID(3)))
        // The connection of the true one is the one that it was.
        second.network.send(Self.heartbeat(2), to: MemberID(1))
        try first.wait(for: .message(Self.heartbeat(2), from: MemberID(2)))
        #expect(!second.told.elements.contains(.disconnected(MemberID(1))))
    }

    @Test("unknown keys and those of fronts are turned away, and plain connections are not heard")
    func strangers() throws {
        let members = try Members()
        let first = try End(1, of: members)
        defer { first.close() }
        for keys in [try CurveKeyPair.generate(), members.front] {
            let stranger = try members.makeStranger(keys, named: "member-2")
            #expect(try stranger.send(Self.heartbeat(9).encoded(), wait: true))
            try first.refused.wait(for: "a refusal") { $0 == keys.publicKey ? () : nil }
        }
        let plain = try members.makeStranger(nil, named: nil)
        #expect(try plain.send(MemberRequest.status.encoded(), wait: true))
        // Its handshake began before that of the next one, who is heard.
        let witness = try members.makeStranger(try #require(members.keys[3]), named: "member-3")
        #expect(try witness.send(Self.heartbeat(5).encoded(), wait: true))
        try first.wait(for: .message(Self.heartbeat(5), from: MemberID(3)))
        let heard = first.told.elements.filter { event in
            switch event {
            case .message, .question: true
            case .connected, .disconnected: false
            }
        }
        #expect(heard == [.message(Self.heartbeat(5), from: MemberID(3))])
    }

    @Test("a member whose key is taken off the list is not heard any more, though it is connected")
    func revoked() throws {
        let members = try Members()
        let first = try End(1, of: members)
        defer { first.close() }
        let revoked = try members.makeStranger(try #require(members.keys[2]), named: "member-2")
        let witness = try members.makeStranger(try #require(members.keys[3]), named: "member-3")
        #expect(try revoked.send(Self.heartbeat(1).encoded(), wait: true))
        try first.wait(for: .message(Self.heartbeat(1), from: MemberID(2)))
        first.gate.replace(with: try members.keyring(without: 2))
        for epoch in UInt64(2)...5 {
            #expect(try revoked.send(Self.heartbeat(epoch).encoded(), wait: true))
            #expect(try witness.send(Self.heartbeat(epoch).encoded(), wait: true))
            try first.wait(for: .message(Self.heartbeat(epoch), from: MemberID(3)))
        }
        let heard = first.told.elements.filter { event in
            if case .message(_, from: MemberID(2)) = event { true } else { false }
        }
        #expect(heard == [.message(Self.heartbeat(1), from: MemberID(2))])
    }
}
