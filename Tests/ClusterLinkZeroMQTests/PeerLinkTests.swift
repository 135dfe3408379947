import ClusterLink
import ClusterLinkZeroMQ
import Dispatch
import Testing
import ZeroMQ

@Suite("A peer's end of the link")
struct PeerLinkTests {
    @Test("keeps as many messages as its bound allows until it is started")
    func outgoingBound() throws {
        let fixture = try LinkFixture(.ipc)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        let bound = ZeroMQPeerLink.outgoingBound
        for number in 0..<bound { peer.send(bytes(of: number)) }
        _ = try peer.start()
        defer { peer.close() }
        #expect(try leader.take(bound).map(\.bytes) == (0..<bound).map { bytes(of: $0) })
    }

    @Test("drops the message beyond its bound while its thread is busy")
    func beyondBound() throws {
        let fixture = try LinkFixture(.ipc)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        let isBusy = DispatchSemaphore(value: 0)
        let mayGoOn = DispatchSemaphore(value: 0)
        try peer.start { _ in
            isBusy.signal()
            mayGoOn.wait()
        }
        defer { peer.close() }
        peer.send([0])
        let letter = try #require(try leader.take(1).first)
        try leader.send([0], to: letter.peer)
        isBusy.wait()

        let bound = ZeroMQPeerLink.outgoingBound
        for number in 0...bound { peer.send(bytes(of: number)) }
        mayGoOn.signal()
        let marker: [UInt8] = [1]
        var received: [[UInt8]] = []
        let end = ContinuousClock.now + LinkFixture.patience
        // ZeroMQ has a bound of its own, at which the marker may be lost: it is sent until it is there.
        while received.last != marker, ContinuousClock.now < end {
            received += try leader.take(1, within: .milliseconds(100)).map(\.bytes)
            if received.count >= bound - 1 { peer.send(marker) }
        }
        received.removeAll { $0 == marker }
        #expect(!received.contains(bytes(of: bound)))
        #expect(received.count >= bound - 1)
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
