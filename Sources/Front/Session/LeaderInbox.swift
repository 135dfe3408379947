import ClusterLink
import JobCore
import Logging
import NIOCore

/// Reads the leader's messages on the link's own thread and hands them to the loops.
///
/// A message is decoded where it arrives: its payloads are copied once, out of the link's buffer into the replies, and
/// the event loop, which is what limits a front, is woken once for each message and finds replies that it can use.
struct LeaderInbox: Sendable {
    let lanes: [NIOLoopBound<Lane>]
    let session: NIOLoopBound<FrontSession>
    let logger: Logger

    func receive(_ bytes: UnsafeRawBufferPointer) {
        do throws(LinkFormatError) {
            self.deliver(try MessageFromLeader(decoding: bytes))
        } catch {
            self.logger.error("A message of the leader cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func deliver(_ message: MessageFromLeader) {
        switch message {
        case .replies(let key, let batch, let replies):
            guard let lane = self.lane(key) else { return }
            lane.eventLoop.execute { lane.value.receive(replies, toBatch: batch, of: key.session) }
        case .late(let key, let replies):
            guard let lane = self.lane(key) else { return }
            lane.eventLoop.execute { lane.value.receive(late: replies, of: key.session) }
        case .attached, .attachFirst, .expired, .dropWorkers, .alive:
            self.session.eventLoop.execute { self.session.value.receive(message) }
        case .tickDone:
            return
        }
    }

    private func lane(_ key: LaneKey) -> NIOLoopBound<Lane>? {
        guard Int(key.lane) < self.lanes.count else {
            self.logger.error("A message of the leader is for no lane", metadata: ["lane": "\(key.lane)"])
            return nil
        }
        return self.lanes[Int(key.lane)]
    }
}
