import TestSupport
import Testing
import ThreadConfinement
import ZeroMQ

@Suite("A ZeroMQ socket")
struct ZeroMQSocketTests {
    /// How patient a test is with something that is sure to come; it never waits for this time to pass.
    static let patience = Duration.seconds(120)

    private let context: ZeroMQContext

    init() throws {
        self.context = try ZeroMQContext()
    }

    private func frames(from socket: borrowing ZeroMQSocket) throws -> [[UInt8]]? {
        var poller = Poller()
        _ = poller.add(socket)
        guard try poller.wait(upTo: Self.patience) == 1 else { return nil }
        return try socket.receiveFrames(wait: false)
    }

    private func options(_ change: (inout ZeroMQSocketOptions) -> Void) -> ZeroMQSocketOptions {
        var options = ZeroMQSocketOptions()
        change(&options)
        return options
    }

    @Test("carries messages between a dealer and a router over ipc and tcp", arguments: ["ipc", "tcp"])
    func roundTrip(transport: String) throws {
        let directory = try TemporaryDirectory()
        let router = try ZeroMQSocket(.router, in: self.context, options: self.options { $0.routerMandatory = true })
        try router.bind(to: transport == "ipc" ? "ipc://\(directory.file("link"))" : "tcp://127.0.0.1:*")
        let endpoint = try router.lastEndpoint
        #expect(endpoint.hasPrefix("\(transport)://"))
        #expect(!endpoint.hasSuffix("*"))

        let dealer = try ZeroMQSocket(.dealer, in: self.context, options: self.options { $0.identity = [1, 2, 3] })
        try dealer.connect(to: endpoint)
        #expect(try dealer.send([10, 11], wait: true))
        #expect(try self.frames(from: router) == [[1, 2, 3], [10, 11]])
        #expect(try router.send(to: [1, 2, 3], [20], wait: true))
        #expect(try self.frames(from: dealer) == [[20]])
    }

    @Test("keeps the frames of a message together, empty ones too")
    func multipart() throws {
        let pull = try ZeroMQSocket(.pull, in: self.context)
        try pull.bind(to: "inproc://frames")
        let push = try ZeroMQSocket(.push, in: self.context)
        try push.connect(to: "inproc://frames")
        let bytes: [UInt8] = [0, 1, 2, 3]
        #expect(try push.send(bytes[1...2], more: true, wait: true))
        #expect(try push.send([], more: true, wait: true))
        #expect(try push.send(bytes, wait: true))

        guard let first = try pull.receive(wait: true) else {
            Issue.record("no frame came")
            return
        }
        #expect(first.count == 2)
        #expect(first.more == true)
        #expect(first.withUnsafeBytes { Array($0) } == [1, 2])
        #expect(try pull.receiveFrames(wait: true) == [[], [0, 1, 2, 3]])
        #expect(try pull.receiveFrames(wait: false) == nil)
    }

    @Test("receives eight mebibytes as they were sent")
    func bigMessage() throws {
        let directory = try TemporaryDirectory()
        let pull = try ZeroMQSocket(.pull, in: self.context)
        try pull.bind(to: "ipc://\(directory.file("big"))")
        let push = try ZeroMQSocket(.push, in: self.context)
        try push.connect(to: try pull.lastEndpoint)
        let payload = patternedBytes(8 << 20)
        #expect(try push.send(payload, wait: true))
        guard let message = try pull.receive(wait: true) else {
            Issue.record("no frame came")
            return
        }
        let isEqual = message.bytes == payload
        #expect(isEqual)
    }

    @Test("answers that it would have to wait when the queue is full")
    func highWaterMark() throws {
        let pull = try ZeroMQSocket(.pull, in: self.context, options: self.options { $0.receiveHighWaterMark = 2 })
        try pull.bind(to: "inproc://full")
        let push = try ZeroMQSocket(.push, in: self.context, options: self.options { $0.sendHighWaterMark = 3 })
        try push.connect(to: "inproc://full")
        var sentCount = 0
        while try push.send([1], wait: false) { sentCount += 1 }
        #expect(sentCount == 5)
        #expect(try pull.receive(wait: false)?.count == 1)
    }

    @Test("answers that it would have to wait where nobody is connected")
    func nobody() throws {
        let push = try ZeroMQSocket(.push, in: self.context, options: self.options { $0.immediate = true })
        #expect(try push.send([1], wait: false) == false)
        #expect(throws: ZeroMQError.system(code: 95, text: "Operation not supported")) {
            _ = try push.receiveFrames(wait: false)
        }
    }

    @Test("throws hostUnreachable from a mandatory router, and drops the message from another")
    func unknownIdentity() throws {
        let strict = try ZeroMQSocket(.router, in: self.context, options: self.options { $0.routerMandatory = true })
        #expect(throws: ZeroMQError.hostUnreachable) { _ = try strict.send(to: [9], [1], wait: true) }
        let lax = try ZeroMQSocket(.router, in: self.context)
        #expect(try lax.send(to: [9], [1], wait: true))
    }

    @Test("lets a new peer take over an identity if told to")
    func handover() throws {
        let router = try ZeroMQSocket(.router, in: self.context, options: self.options { $0.routerHandover = true })
        try router.bind(to: "tcp://127.0.0.1:*")
        let endpoint = try router.lastEndpoint
        let peers = self.options { $0.identity = [7] }
        let old = try ZeroMQSocket(.dealer, in: self.context, options: peers)
        try old.connect(to: endpoint)
        #expect(try old.send([1], wait: true))
        #expect(try self.frames(from: router) == [[7], [1]])
        let new = try ZeroMQSocket(.dealer, in: self.context, options: peers)
        try new.connect(to: endpoint)
        #expect(try new.send([2], wait: true))
        #expect(try self.frames(from: router) == [[7], [2]])
        #expect(try router.send(to: [7], [3], wait: true))
        #expect(try self.frames(from: new) == [[3]])
    }

    @Test("takes a message as long as its bound, and cuts off a peer that sends a longer one")
    func maximumMessage() throws {
        let pull = try ZeroMQSocket(.pull, in: self.context, options: self.options { $0.maximumMessageByteCount = 100 })
        let monitor = try pull.monitor(.disconnected)
        try pull.bind(to: "tcp://127.0.0.1:*")
        let push = try ZeroMQSocket(.push, in: self.context)
        try push.connect(to: try pull.lastEndpoint)
        #expect(try push.send([UInt8](repeating: 1, count: 100), wait: true))
        #expect(try self.frames(from: pull)?.first?.count == 100)
        #expect(try push.send([UInt8](repeating: 1, count: 101), wait: true))
        #expect(try monitor.next(wait: true)?.kind == .disconnected)
        #expect(try pull.receiveFrames(wait: false) == nil)
    }

    @Test("sends a message as long as its bound, and throws for a longer one")
    func maximumSend() throws {
        let options = self.options { $0.maximumMessageByteCount = 100 }
        let dealer = try ZeroMQSocket(.dealer, in: self.context, options: options)
        try dealer.connect(to: "inproc://bound")
        #expect(try dealer.send([UInt8](repeating: 1, count: 100), wait: false))
        #expect(throws: ZeroMQError.messageTooLarge(byteCount: 101, limit: 100)) {
            _ = try dealer.send([UInt8](repeating: 1, count: 101), wait: false)
        }
        let router = try ZeroMQSocket(.router, in: self.context, options: options)
        #expect(throws: ZeroMQError.messageTooLarge(byteCount: 101, limit: 100)) {
            _ = try router.send(to: [1], [UInt8](repeating: 1, count: 101), wait: false)
        }
    }

    @Test("frees its endpoint when it unbinds, and stops when it disconnects")
    func unbind() throws {
        let first = try ZeroMQSocket(.pull, in: self.context)
        try first.bind(to: "tcp://127.0.0.1:*")
        let endpoint = try first.lastEndpoint
        let second = try ZeroMQSocket(.pull, in: self.context)
        #expect(throws: ZeroMQError.system(code: 98, text: "Address already in use")) { try second.bind(to: endpoint) }

        let monitor = try first.monitor(.closed)
        try first.unbind(from: endpoint)
        #expect(try monitor.next(wait: true)?.kind == .closed)
        try second.bind(to: endpoint)
        #expect(try second.lastEndpoint == endpoint)

        let push = try ZeroMQSocket(.push, in: self.context)
        try push.connect(to: endpoint)
        #expect(try push.send([1], wait: true))
        try push.disconnect(from: endpoint)
        #expect(try push.send([1], wait: false) == false)
    }

    @Test("accepts every option, and says which value is out of range")
    func options() throws {
        let options = self.options {
            $0.linger = .milliseconds(5)
            $0.keepAlive = .init(interval: .seconds(1), timeout: .seconds(2))
            $0.reconnectInterval = .milliseconds(20)
            $0.maximumReconnectInterval = .seconds(1)
            $0.handshakeInterval = .seconds(3)
            $0.zapDomain = "millrace"
        }
        let dealer = try ZeroMQSocket(.dealer, in: self.context, options: options)
        #expect(try dealer.lastEndpoint == "")
        #expect(throws: ZeroMQError.system(code: 22, text: "Invalid argument")) {
            _ = try ZeroMQSocket(
                .dealer,
                in: self.context,
                options: self.options { $0.identity = [UInt8](repeating: 1, count: 256) }
            ).lastEndpoint
        }
        let longest = self.options { $0.identity = [UInt8](repeating: 1, count: 255) }
        #expect(try ZeroMQSocket(.dealer, in: self.context, options: longest).lastEndpoint == "")
    }

    @Test("outlives a peer that sends more than is received and goes away")
    func floodedAndLeft() throws {
        let options = self.options {
            $0.receiveHighWaterMark = 2
            $0.keepAlive = .init(interval: .seconds(1), timeout: .seconds(2))
        }
        let router = try ZeroMQSocket(.router, in: self.context, options: options)
        try router.bind(to: "tcp://127.0.0.1:*")
        let endpoint = try router.lastEndpoint
        do {
            let context = try ZeroMQContext()
            let dealer = try ZeroMQSocket(.dealer, in: context)
            let monitor = try dealer.monitor(.handshakeSucceeded)
            try dealer.connect(to: endpoint)
            #expect(try monitor.next(wait: true)?.kind == .handshakeSucceeded)
            let message = [UInt8](repeating: 1, count: 60_000)
            // As much as this end and the kernel take.
            while try dealer.send(message, wait: false) {}
        }
        // A heartbeat of libzmq's would be due in this time, and end the process.
        let idle = try ZeroMQSocket(.pull, in: self.context)
        var poller = Poller()
        _ = poller.add(idle)
        #expect(try poller.wait(upTo: .milliseconds(1_500)) == 0)
        var count = 0
        while try router.receiveFrames(wait: false) != nil { count += 1 }
        #expect(count > 0)
    }

    @Test("throws terminated out of a wait when its context is shut down")
    func shutDown() async throws {
        let context = try ZeroMQContext(ioThreadCount: 2)
        let (ready, opened) = AsyncStream.makeStream(of: Void.self)
        let thread = DedicatedThread(name: "waiting") { () -> ZeroMQError? in
            do throws(ZeroMQError) {
                let pull = try ZeroMQSocket(.pull, in: context)
                opened.yield()
                _ = try pull.receive(wait: true)
                return nil
            } catch {
                return error
            }
        }
        var iterator = ready.makeAsyncIterator()
        await iterator.next()
        context.shutDown()
        #expect(await thread.value() == .terminated)
    }
}
