import Election
import ZeroMQ

/// Carries the sockets of a member's network from the thread that opened them to the one that uses them.
///
/// Unchecked, because ZeroMQ lets a socket move between threads behind a full fence, which starting a thread is; they are
/// used by one thread before and by another after.
final class PeerSockets: @unchecked Sendable {
    private var open: Open?

    init(_ open: Open) {
        self.open = open
    }

    /// Uses the sockets, and closes them behind.
    func withOpen(_ body: (Open) -> Void) {
        guard let open = self.open.take() else { return }
        body(open)
    }

    /// The sockets, on one thread.
    final class Open {
        /// How soon a lost connection is tried again.
        private static let reconnectInterval = Duration.milliseconds(20)
        private static let longestReconnectInterval = Duration.milliseconds(200)
        /// A member whose machine vanished is noticed in so long, beside the heartbeats of the members themselves.
        private static let keepAlive = ZeroMQSocketOptions.KeepAlive(interval: .seconds(1), timeout: .seconds(2))

        private let router: ZeroMQSocket
        private let peers: [Peer]
        private let security: ServerSecurity?

        init(
            member: MemberID,
            endpoint: String,
            others: [MemberID: String],
            in context: ZeroMQContext,
            security: MemberSecurity?
        ) throws(ZeroMQError) {
            self.security = security?.own
            var options = Self.options
            options.handshakeInterval = LinkHandshake.limit
            if let security { options.secure(security.own) }
            options.routerMandatory = true
            // A connection that was lost may come back before this end has missed it. Nobody else can take its name.
            options.routerHandover = true
            self.router = try ZeroMQSocket(.router, in: context, options: options)
            try self.router.bind(to: endpoint)
            var peers: [Peer] = []
            for (other, endpoint) in others {
                var options = Self.options
                if let security {
                    guard let key = security.others[other] else { preconditionFailure("no key of \(other)") }
                    options.secure(key)
                }
                peers.append(try Peer(other, at: endpoint, as: member, options: options, in: context))
            }
            self.peers = peers
        }

        private static var options: ZeroMQSocketOptions {
            var options = ZeroMQSocketOptions()
            options.sendHighWaterMark = ZeroMQPeerNetwork.highWaterMark
            options.receiveHighWaterMark = ZeroMQPeerNetwork.highWaterMark
            options.maximumMessageByteCount = ZeroMQPeerNetwork.messageByteBound
            options.reconnectInterval = Self.reconnectInterval
            options.maximumReconnectInterval = Self.longestReconnectInterval
            options.keepAlive = Self.keepAlive
            return options
        }

        func add(to poller: inout Poller) {
            _ = poller.add(self.router)
            for peer in self.peers { peer.add(to: &poller) }
        }

        func send(_ outgoing: ZeroMQPeerNetwork.Outgoing) throws(ZeroMQError) {
            switch outgoing {
            case .message(let bytes, let member):
                try self.peers.first { $0.member == member }?.send(bytes)
            case .answer(let bytes, let asker):
                do {
                    _ = try self.router.send(to: asker.identity, bytes, wait: false)
                } catch .hostUnreachable {
                    // It did not wait for the answer.
                }
            }
        }

        /// Hands over everything that is there; false if that is nothing.
        func receive(_ tell: (PeerNetworkEvent) -> Void) throws(ZeroMQError) -> Bool {
            var count = 0
            // What happened to a connection comes first: what a member said on the next one counts more.
            for peer in self.peers {
                while let event = try peer.nextEvent() {
                    tell(event)
                    count += 1
                }
            }
            while let identity = try self.router.receive(wait: false) {
                count += 1
                guard identity.more, let payload = try self.router.receive(wait: true) else { continue }
                guard payload.more else {
                    if let event = self.event(from: identity.bytes, payload) { tell(event) }
                    continue
                }
                var more = true
                while more, let frame = try self.router.receive(wait: true) { more = frame.more }
            }
            return count > 0
        }

        /// What a message of two frames means; nil if it is not to be heard.
        private func event(from identity: [UInt8], _ payload: borrowing ZeroMQMessage) -> PeerNetworkEvent? {
            var proven: Int?
            if let security {
                proven = security.gate.member(sending: payload)
                guard proven != nil else { return nil }
            }
            guard let member = Peer.member(named: identity) else {
                return .question(payload.bytes, from: PeerAsker(identity: identity))
            }
            // Its identity is what it says; its key is what it is.
            guard proven == nil || proven == Int(member.number) else { return nil }
            guard self.peers.contains(where: { $0.member == member }) else { return nil }
            guard let message = try? PeerMessage(decoding: payload.bytes) else { return nil }
            return .message(message, from: member)
        }
    }

    /// The connection to one other member.
    private final class Peer {
        let member: MemberID
        private let socket: ZeroMQSocket
        private let monitor: ZeroMQMonitor
        private let endpoint: String
        private var isConnected = false
        private var reconnection = PeerReconnection()

        init(
            _ member: MemberID,
            at endpoint: String,
            as own: MemberID,
            options: ZeroMQSocketOptions,
            in context: ZeroMQContext
        ) throws(ZeroMQError) {
            var options = options
            options.identity = Self.name(of: own, isEncrypted: options.curve != nil)
            // What cannot leave at once would be out of date when it does.
            options.immediate = true
            self.member = member
            self.endpoint = endpoint
            self.socket = try ZeroMQSocket(.dealer, in: context, options: options)
            self.monitor = try self.socket.monitor([.handshakeSucceeded, .disconnected])
            try self.socket.connect(to: endpoint)
        }

        func add(to poller: inout Poller) {
            _ = poller.add(self.socket)
            _ = poller.add(self.monitor.socket)
        }

        func send(_ bytes: [UInt8]) throws(ZeroMQError) {
            guard try !self.socket.send(bytes, wait: false), !self.isConnected, self.reconnection.isDue() else {
                return
            }
            // It may have turned our key away, and know it by now.
            try self.socket.connectAnew(to: self.endpoint)
        }

        /// What happened to the connection since it was asked last.
        func nextEvent() throws(ZeroMQError) -> PeerNetworkEvent? {
            // Routers of members send nothing by this way; what a stranger sends must not pile up.
            while try self.socket.receive(wait: false) != nil {}
            while let event = try self.monitor.next(wait: false) {
                let isConnected = event.kind == .handshakeSucceeded
                guard isConnected != self.isConnected else { continue }
                self.isConnected = isConnected
                return isConnected ? .connected(self.member) : .disconnected(self.member)
            }
            return nil
        }

        /// What a connection of a member calls itself: the member's number, and what nobody else can guess.
        ///
        /// A router closes the connection whose name another one takes. With a name that is known, the owner of any member's
        /// key could keep another member from being heard. Without keys everybody can say to be that member anyway.
        static func name(of member: MemberID, isEncrypted: Bool) -> [UInt8] {
            let name = "\(ZeroMQPeerNetwork.identityPrefix)\(member.number)"
            guard isEncrypted else { return Array(name.utf8) }
            return Array("\(name)/\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8)
        }

        static func member(named identity: [UInt8]) -> MemberID? {
            let text = String(decoding: identity, as: UTF8.self)
            guard text.hasPrefix(ZeroMQPeerNetwork.identityPrefix) else { return nil }
            let digits = text.dropFirst(ZeroMQPeerNetwork.identityPrefix.count).prefix { $0 != "/" }
            guard let number = UInt8(digits), number <= MemberID.greatestNumber else { return nil }
            return MemberID(number)
        }
    }
}
