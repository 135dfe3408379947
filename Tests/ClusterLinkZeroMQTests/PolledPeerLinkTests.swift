import ClusterLink
import ClusterLinkZeroMQ
import Glibc
import Synchronization
import Testing
import ThreadConfinement
import ZeroMQ

@Suite("A peer's end of the link that an event loop drives")
struct PolledPeerLinkTests {
    @Test(
        "carries messages both ways, in order, when its descriptor is read as NIO does",
        arguments: Transport.allCases
    )
    func bothWays(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try Watched(fixture)
        #expect(peer.waitForConnection(true))

        let messages = (0..<5_000).map { bytes(of: $0) }
        for message in messages { peer.link.send(message) }
        let letters = try leader.take(messages.count)
        #expect(letters.map(\.bytes) == messages)
        let sender = try #require(letters.first?.peer)
        for message in messages { try leader.send(message, to: sender) }
        #expect(peer.take(messages.count) == messages)
    }

    @Test(
        "misses no answer, though sending takes notice of it before the descriptor is read",
        arguments: Transport.allCases
    )
    func requests(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try Watched(fixture)
        #expect(peer.waitForConnection(true))
        for round in 0..<2_000 {
            // Two messages, so that the second is sent while the answer to the first is on its way.
            peer.link.send(bytes(of: round))
            let letter = try #require(try leader.take(1).first)
            try leader.send(bytes(of: round), to: letter.peer)
            peer.link.send(bytes(of: round))
            #expect(try leader.take(1).count == 1)
            #expect(peer.take(1) == [bytes(of: round)])
        }
    }

    @Test(
        "loses what is sent while no manager is there, so that nothing old arrives later",
        arguments: Transport.allCases
    )
    func absence(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let peer = try Watched(fixture)
        peer.link.send([1])
        let leader = try fixture.makeLeader()
        #expect(peer.waitForConnection(true))
        peer.link.send([2])
        #expect(try leader.take(1).map(\.bytes) == [[2]])
    }

    @Test("tells when the manager comes and when it goes, without a message from either", arguments: Transport.allCases)
    func connection(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let peer = try Watched(fixture)
        #expect(!peer.link.isConnected)
        for _ in 0..<3 {
            withExtendedLifetime(try fixture.makeLeader()) { _ in #expect(peer.waitForConnection(true)) }
            #expect(peer.waitForConnection(false))
        }
    }

    @Test("tells that the manager has gone when sending is what takes notice of it", arguments: Transport.allCases)
    func connectionNoticedBySending(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let peer = try Watched(fixture)
        withExtendedLifetime(try fixture.makeLeader()) { _ in #expect(peer.waitForConnection(true)) }
        let end = ContinuousClock.now + LinkFixture.patience
        while peer.link.isConnected, ContinuousClock.now < end { peer.link.send([1]) }
        #expect(!peer.link.isConnected)
        #expect(peer.wasNotified)
    }

    @Test("drops what does not fit when the manager takes nothing")
    func outgoingBound() throws {
        let fixture = try LinkFixture(.ipc)
        let leader = try fixture.makeLeader()
        let peer = try Watched(fixture)
        #expect(peer.waitForConnection(true))
        // The bound counts at both ends, and the kernel holds some in between.
        let sentCount = 4 * ZeroMQPolledPeerLink.outgoingBound
        let message = [UInt8](repeating: 1, count: 1_024)
        for _ in 0..<sentCount { peer.link.send(message) }
        var count = 0
        while try !leader.take(1, within: .milliseconds(200)).isEmpty { count += 1 }
        #expect(count >= ZeroMQPolledPeerLink.outgoingBound)
        #expect(count < sentCount)
    }

    @Test("connects again to a leader that comes back at its place", arguments: Transport.allCases)
    func again(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let peer = try Watched(fixture)
        for round in 0..<3 {
            let leader = try fixture.makeLeader()
            let end = ContinuousClock.now + LinkFixture.patience
            var letter: Letter?
            // What was under way when the link broke may be lost: the peer sends until it is heard.
            while letter == nil, ContinuousClock.now < end {
                peer.link.send(bytes(of: round))
                letter = try leader.take(1, within: .milliseconds(100)).first
            }
            try leader.send(bytes(of: round), to: try #require(letter).peer)
            #expect(peer.take(1) == [bytes(of: round)])
        }
    }

    @Test("sends what was said before its end, and nothing after", arguments: Transport.allCases)
    func close(over transport: Transport) throws {
        let fixture = try LinkFixture(transport)
        let leader = try fixture.makeLeader()
        let peer = try Watched(fixture)
        #expect(peer.waitForConnection(true))
        for number in 0..<100 { peer.link.send(bytes(of: number)) }
        peer.link.close()
        peer.link.send([9])
        peer.link.close()
        #expect(try leader.take(100).map(\.bytes) == (0..<100).map { bytes(of: $0) })
        #expect(try leader.take(1, within: .milliseconds(50)).isEmpty)
    }

    @Test("its context ends although the descriptor had been read, and not given back, when it was closed")
    func closedBehindReading() throws {
        let fixture = try LinkFixture(.ipc)
        let leader = try fixture.makeLeader()
        let hasEnded = Flag()
        let thread = DedicatedThread<Result<Void, any Error>>(name: "ending") {
            Result {
                let link = ZeroMQPolledPeerLink(endpoint: fixture.endpoint, in: try ZeroMQContext())
                let descriptor = try link.open {}
                defer { Glibc.close(descriptor) }
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                try #require(poll(&watched, 1, 20_000) == 1)
                var count: UInt64 = 0
                try #require(read(descriptor, &count, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size)
                link.close()
                link.receive(afterReading: count) { _ in }
            }.map { hasEnded.set() }
        }
        let end = ContinuousClock.now + LinkFixture.patience
        while !hasEnded.value, ContinuousClock.now < end { usleep(1_000) }
        try #require(hasEnded.value, "the context waits for its socket")
        thread.join()
        withExtendedLifetime(leader) {}
    }

    @Test("refuses to be opened twice, and an endpoint that is none")
    func badOpening() throws {
        let fixture = try LinkFixture(.ipc)
        let peer = try Watched(fixture)
        #expect(throws: LinkError.self) { try peer.link.open {} }
        let stray = ZeroMQPolledPeerLink(endpoint: "carrier://pigeon", in: try ZeroMQContext())
        #expect(throws: LinkError.self) { try stray.open {} }
    }
}

/// Something that another thread says once.
private final class Flag: Sendable {
    private let isSet = Atomic(false)

    var value: Bool { self.isSet.load(ordering: .acquiring) }

    func set() { self.isSet.store(true, ordering: .releasing) }
}

/// A link whose descriptor is watched, and read, as NIO does it.
private final class Watched {
    let link: ZeroMQPolledPeerLink
    private let descriptor: CInt
    private let isAnnounced: Announcement
    private var received: [[UInt8]] = []

    /// Set by whoever sends, when there is something to look at that the descriptor may not tell of.
    private final class Announcement: Sendable {
        let isSet = Atomic(false)
    }

    init(_ fixture: LinkFixture) throws {
        let announcement = Announcement()
        self.link = fixture.makePolledPeer()
        self.isAnnounced = announcement
        self.descriptor = try self.link.open { announcement.isSet.store(true, ordering: .releasing) }
    }

    deinit {
        self.link.close()
        Glibc.close(self.descriptor)
    }

    /// Whether there was something to look at since it was looked the last time.
    var wasNotified: Bool { self.isAnnounced.isSet.load(ordering: .acquiring) }

    /// Waits until the manager has come, or gone; false when that has not happened within the patience.
    func waitForConnection(_ isConnected: Bool) -> Bool {
        let end = ContinuousClock.now + LinkFixture.patience
        while self.link.isConnected != isConnected, ContinuousClock.now < end { self.look() }
        return self.link.isConnected == isConnected
    }

    /// Takes as many messages as are asked for; fewer when they have not come within the patience.
    func take(_ count: Int) -> [[UInt8]] {
        let end = ContinuousClock.now + LinkFixture.patience
        while self.received.count < count, ContinuousClock.now < end { self.look() }
        defer { self.received.removeFirst(min(count, self.received.count)) }
        return Array(self.received.prefix(count))
    }

    /// Waits a little for the descriptor, unless there is something to look at already, and looks.
    private func look() {
        if self.isAnnounced.isSet.exchange(false, ordering: .acquiringAndReleasing) {
            return self.receive(afterReading: 0)
        }
        var watched = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, 100) == 1 else { return }
        var value: UInt64 = 0
        guard read(self.descriptor, &value, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size else { return }
        self.receive(afterReading: value)
    }

    private func receive(afterReading count: UInt64) {
        self.link.receive(afterReading: count) { self.received.append(Array($0)) }
    }
}
