import ClusterLink
import ClusterLinkZeroMQ
import Testing
import ZeroMQ

@Suite("A peer's end of the link")
struct PeerLinkTests {
    @Test("keeps messages up to its bound until it is started, and drops the one beyond")
    func outgoingBound() throws {
        let fixture = try LinkFixture(.ipc)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        let bound = ZeroMQPeerLink.outgoingBound
        for number in 0...bound { peer.send(bytes(of: number)) }
        _ = try peer.start()
        defer { peer.close() }

        let letters = try leader.take(bound)
        #expect(letters.map(\.bytes) == (0..<bound).map { bytes(of: $0) })
        // What comes next is what was sent next: the message beyond the bound is nowhere.
        peer.send([1])
        #expect(try leader.take(1).map(\.bytes) == [[1]])
    }

    @Test("may be started before there is a leader")
    func beforeLeader() throws {
        let fixture = try LinkFixture(.tcp)
        let peer = try fixture.makePeer()
        _ = try peer.start()
        defer { peer.close() }
        peer.send([7])
        let leader = try fixture.makeLeader()
        #expect(try leader.take(1).map(\.bytes) == [[7]])
    }

    @Test("ends though there never was a leader")
    func withoutLeader() throws {
        let fixture = try LinkFixture(.ipc)
        let peer = try fixture.makePeer()
        let mailbox = try peer.start()
        peer.send([7])
        peer.close()
        #expect(mailbox.isEmpty)
    }

    @Test(
        "says which endpoint is none when it is started",
        arguments: ["nonsense", "tcp://", "ipc://", "carrier://pigeon"]
    )
    func badEndpoint(endpoint: String) throws {
        let peer = try ZeroMQPeerLink(endpoint: endpoint, in: try ZeroMQContext())
        let error = #expect(throws: LinkError.self) { try peer.start { _ in } }
        guard case .endpoint(endpoint, let reason) = error else {
            Issue.record("the error is \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }
}
