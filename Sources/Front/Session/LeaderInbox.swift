import ClusterLink
import JobCore
import Logging
import NIOCore

/// Takes a manager's messages out of its link on the first event loop, and hands each to whom it concerns.
///
/// It is the handler of the channel that watches the link's descriptor: what the channel reads is the descriptor's
/// count. A message is decoded where it arrives: its payloads are copied once, out of the link's buffer.
final class LeaderInbox: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let manager: Int
    private let link: any PolledPeerLink
    private let lanes: [NIOLoopBound<Lane>]
    private let session: NIOLoopBound<FrontSession>
    private let logger: Logger
    private var wasConnected = false

    /// - Parameter manager: the manager's place in the front's list.
    init(
        manager: Int,
        link: any PolledPeerLink,
        lanes: [NIOLoopBound<Lane>],
        session: NIOLoopBound<FrontSession>,
        logger: Logger
    ) {
        self.manager = manager
        self.link = link
        self.lanes = lanes
        self.session = session
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var counts = self.unwrapInboundIn(data)
        while let count = counts.readInteger(endianness: .host, as: UInt64.self) {
            self.receive(afterReading: count)
        }
    }

    /// Takes every message that is there.
    func receive(afterReading count: UInt64 = 0) {
        self.link.receive(afterReading: count) { bytes in
            do throws(LinkFormatError) {
                self.deliver(try MessageFromLeader(decoding: bytes))
            } catch {
                self.logger.error(
                    "A message of the leader cannot be read",
                    metadata: ["manager": "\(self.manager)", "error": "\(error)"]
                )
            }
        }
        let isConnected = self.link.isConnected
        guard isConnected != self.wasConnected else { return }
        self.wasConnected = isConnected
        self.session.value.connectionChanged(of: self.manager, isConnected: isConnected)
    }

    private func deliver(_ message: MessageFromLeader) {
        let manager = self.manager
        switch message {
        case .replies(let key, let batch, let replies):
            self.onLane(key) { $0.receive(replies, toBatch: batch, of: key.session, from: manager) }
        case .late(let key, let replies):
            self.onLane(key) { $0.receive(late: replies, of: key.session, from: manager) }
        case .attached, .attachFirst, .expired, .dropWorkers, .alive, .speaks:
            self.session.value.receive(message, from: manager)
        case .tickDone:
            return
        }
    }

    private func onLane(_ key: LaneKey, _ body: @escaping @Sendable (Lane) -> Void) {
        guard Int(key.lane) < self.lanes.count else {
            self.logger.error("A message of the leader is for no lane", metadata: ["lane": "\(key.lane)"])
            return
        }
        let lane = self.lanes[Int(key.lane)]
        if lane.eventLoop.inEventLoop {
            body(lane.value)
        } else {
            lane.eventLoop.execute { body(lane.value) }
        }
    }
}
