import ClusterLink
import ClusterLinkZeroMQ
import Testing
import ThreadConfinement
import ZeroMQ

/// What the ports of ClusterLink promise, over each transport.
@Suite("A link over ZeroMQ")
struct LinkConformanceTests {
    @Test("carries messages to the leader and its answers back, empty ones too", arguments: Transport.allCases)
    func bothWays(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        let mailbox = try peer.start()
        defer { peer.close() }

        peer.send([1, 2, 3])
        peer.send([])
        let letters = try leader.take(2)
        #expect(letters.map(\.bytes) == [[1, 2, 3], []])
        let sender = try #require(letters.first?.peer)
        #expect(letters.last?.peer == sender)
        try leader.send([4, 5], to: sender)
        try leader.send([], to: sender)
        #expect(try mailbox.take(2) == [[4, 5], []])
    }

    @Test("keeps the order of each peer's messages, and of those to it", arguments: Transport.allCases)
    func order(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        let mailbox = try peer.start()
        defer { peer.close() }

        let messages = (0..<5_000).map { bytes(of: $0) }
        for message in messages { peer.send(message) }
        let letters = try leader.take(messages.count)
        #expect(letters.map(\.bytes) == messages)
        let sender = try #require(letters.first?.peer)
        for message in messages { try leader.send(message, to: sender) }
        #expect(try mailbox.take(messages.count) == messages)
    }

    @Test("tells peers apart, and answers the one that it means", arguments: Transport.allCases)
    func peers(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peers = try (0..<3).map { _ in try fixture.makePeer() }
        let mailboxes = try peers.map { try $0.start() }
        defer { for peer in peers { peer.close() } }

        for (number, peer) in peers.enumerated() { peer.send(bytes(of: number)) }
        let letters = try leader.take(peers.count)
        #expect(Set(letters.map(\.peer)).count == peers.count)
        for letter in letters { try leader.send(letter.bytes + [9], to: letter.peer) }
        for (number, mailbox) in mailboxes.enumerated() { #expect(try mailbox.take(1) == [bytes(of: number) + [9]]) }
    }

    @Test("hands over no more messages at a time than were asked for", arguments: Transport.allCases)
    func bound(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        _ = try peer.start()
        defer { peer.close() }

        for number in 0..<5 { peer.send(bytes(of: number)) }
        var counts: [Int] = []
        var sum = 0
        let end = ContinuousClock.now + LinkFixture.patience
        while sum < 5, ContinuousClock.now < end {
            var count = 0
            try leader.receive(waitingAtMost: LinkFixture.patience, bound: 2) { _, _ in count += 1 }
            counts.append(count)
            sum += count
        }
        #expect(sum == 5)
        #expect(counts.allSatisfy { $0 <= 2 }, "\(counts)")
    }

    @Test("loses what is sent to a peer that is gone, without an error", arguments: Transport.allCases)
    func gone(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let first = try fixture.makePeer()
        _ = try first.start()
        first.send([1])
        let gone = try #require(try leader.take(1).first?.peer)
        first.close()

        // Whether the leader has noticed or not, nothing is thrown and others are served.
        let second = try fixture.makePeer()
        let mailbox = try second.start()
        defer { second.close() }
        second.send([2])
        let letter = try #require(try leader.take(1).first)
        for number in 0..<100 { try leader.send(bytes(of: number), to: gone) }
        try leader.send([3], to: LinkPeer(identity: [0, 1, 2, 3, 4]))
        try leader.send([4], to: letter.peer)
        #expect(try mailbox.take(1) == [[4]])
        #expect(mailbox.isEmpty)
    }

    @Test("connects peers again to a leader that comes back at its place", arguments: Transport.allCases)
    func again(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let peer = try fixture.makePeer()
        let mailbox = try peer.start()
        defer { peer.close() }
        var former: LinkPeer?
        for round in 0..<3 {
            let leader = try fixture.makeLeader()
            // What was under way when the link broke may be lost: the peer sends until it is heard.
            let letter = try #require(try Self.exchange(bytes(of: round), from: peer, to: leader))
            #expect(letter.peer != former, "a peer that comes back has a new identity")
            former = letter.peer
            try leader.send(bytes(of: round), to: letter.peer)
            #expect(try mailbox.take(1) == [bytes(of: round)])
        }
    }

    @Test("wakes the leader from another thread, before it waits or while it does", arguments: Transport.allCases)
    func wake(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let waker = leader.waker
        for _ in 0..<100 {
            let thread = DedicatedThread(name: "waker") { waker.wake() }
            let start = ContinuousClock.now
            try leader.receive(waitingAtMost: LinkFixture.patience, bound: 1) { _, _ in
                Issue.record("nobody sent this message")
            }
            #expect(ContinuousClock.now - start < LinkFixture.patience)
            thread.join()
        }
    }

    @Test("waits no longer than it was told to, and not at all when told so", arguments: Transport.allCases)
    func patience(over transport: Transport) throws {
        let leader = try LinkFixture(transport).makeLeader()
        for wait in [Duration.zero, .milliseconds(-1), .milliseconds(20)] {
            let start = ContinuousClock.now
            try leader.receive(waitingAtMost: wait, bound: 1) { _, _ in Issue.record("nobody sent this message") }
            let took = ContinuousClock.now - start
            #expect(took >= wait)
            #expect(took < LinkFixture.patience)
        }
    }

    @Test("sends what was said before its end, and nothing after", arguments: Transport.allCases)
    func close(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try fixture.makePeer()
        _ = try peer.start()
        for number in 0..<100 { peer.send(bytes(of: number)) }
        peer.close()
        peer.send([9])
        peer.close()
        #expect(try leader.take(100).map(\.bytes) == (0..<100).map { bytes(of: $0) })

        let marker = try fixture.makePeer()
        _ = try marker.start()
        defer { marker.close() }
        marker.send([1])
        #expect(try leader.take(1).map(\.bytes) == [[1]])
    }

    @Test("drops a message of several frames, which none of its peers sends", arguments: Transport.allCases)
    func strangeFrames(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let stranger = try fixture.makeStranger()
        #expect(try stranger.send([1], more: true, wait: true))
        #expect(try stranger.send([2], more: true, wait: true))
        #expect(try stranger.send([3], wait: true))
        #expect(try stranger.send([4], wait: true))
        #expect(try leader.take(1).map(\.bytes) == [[4]])
    }

    /// Sends until the leader has it.
    private static func exchange(
        _ message: [UInt8],
        from peer: ZeroMQPeerLink,
        to leader: ZeroMQLeaderLink
    ) throws -> Letter? {
        let end = ContinuousClock.now + LinkFixture.patience
        while ContinuousClock.now < end {
            peer.send(message)
            if let letter = try leader.take(1, within: .milliseconds(100)).first { return letter }
        }
        return nil
    }
}
