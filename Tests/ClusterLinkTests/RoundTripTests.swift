import ClusterLink
import JobCore
import Testing

@Suite("A message of the link")
struct RoundTripTests {
    @Test("to the leader is read as it was written", arguments: MessageToLeader.samples)
    func toLeader(sample: Sample<MessageToLeader>) throws {
        let decoded = try MessageToLeader(decoding: sample.message.encoded())
        // The messages have no equality; what they print has every field.
        #expect(String(reflecting: decoded) == String(reflecting: sample.message))
    }

    @Test("from the leader is read as it was written", arguments: MessageFromLeader.samples)
    func fromLeader(sample: Sample<MessageFromLeader>) throws {
        #expect(try MessageFromLeader(decoding: sample.message.encoded()) == sample.message)
    }

    @Test("names each task, and each thing that can be done to queues, by a number of its own")
    func enumerations() throws {
        for task in SchedulerTask.allCases {
            let message = MessageFromLeader.tickDone(task, number: 1, count: 2)
            #expect(try MessageFromLeader(decoding: message.encoded()) == message)
        }
        for action in QueueAction.allCases {
            let message = MessageToLeader.batch([LinkCommand(request: 1, .queue(action, names: .all))])
            let decoded = try MessageToLeader(decoding: message.encoded())
            #expect(String(reflecting: decoded) == String(reflecting: message))
        }
    }

    @Test("of commands that were encoded one by one is the same as one that was encoded at once")
    func piecewise() throws {
        let commands = LinkCommand.samples.enumerated().map {
            LinkCommand(request: UInt64($0.offset), $0.element.message)
        }
        var writer = LinkWriter()
        for command in commands { command.encode(into: &writer) }
        let piecewise = CommandBatch.encode(
            lane: LaneKey(session: MessageToLeader.session, lane: 0x2122),
            number: 0x31,
            settled: 0x41,
            commandCount: commands.count,
            commands: writer.bytes
        )
        #expect(piecewise == MessageToLeader.batch(commands).encoded())
    }

    @Test("keeps a payload's bytes, whatever they are")
    func anyBytes() throws {
        let payload = (0...255).map { UInt8($0) }
        let message = MessageFromLeader.replies(
            LaneKey(session: MessageToLeader.session, lane: 0),
            batch: 1,
            [.job(offer: 1, payload: payload)]
        )
        #expect(try MessageFromLeader(decoding: message.encoded()) == message)
    }
}
