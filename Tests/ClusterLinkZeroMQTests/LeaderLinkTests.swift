import ClusterLink
import ClusterLinkZeroMQ
import Testing
import ZeroMQ

@Suite("The leader's end of the link")
struct LeaderLinkTests {
    @Test("says which endpoint cannot be bound", arguments: ["nonsense", "tcp://", "ipc:///no/such/directory/link"])
    func badEndpoint(endpoint: String) throws {
        let context = try ZeroMQContext()
        let error = #expect(throws: LinkError.self) { _ = try ZeroMQLeaderLink(endpoint: endpoint, in: context) }
        guard case .endpoint(endpoint, let reason) = error else {
            Issue.record("the error is \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("does not share a port with another leader")
    func taken() throws {
        let fixture = try LinkFixture(.tcp)
        let first = try fixture.makeLeader()
        let error = #expect(throws: LinkError.self) { _ = try fixture.makeLeader() }
        guard case .endpoint(fixture.endpoint, _) = error else {
            Issue.record("the error is \(String(describing: error))")
            return
        }
        #expect(try first.endpoint == fixture.endpoint)
    }

    @Test("tells the port when any would do")
    func anyPort() throws {
        let leader = try ZeroMQLeaderLink(endpoint: "tcp://127.0.0.1:*", in: try ZeroMQContext())
        let endpoint = try leader.endpoint
        #expect(endpoint.hasPrefix("tcp://127.0.0.1:"))
        #expect(!endpoint.hasSuffix("*"))

        let peer = try ZeroMQPeerLink(endpoint: endpoint, in: try ZeroMQContext())
        _ = try peer.start()
        defer { peer.close() }
        peer.send([1])
        #expect(try leader.take(1).map(\.bytes) == [[1]])
    }
}
