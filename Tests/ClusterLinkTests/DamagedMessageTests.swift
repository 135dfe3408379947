import ClusterLink
import JobCore
import Testing

@Suite("A damaged message of the link")
struct DamagedMessageTests {
    @Test("that ends too early is refused, wherever it ends", arguments: Wire.samples)
    func truncated(wire: Wire) {
        for count in wire.bytes.indices {
            #expect(throws: LinkFormatError.truncated, "\(count) bytes of \(wire.bytes.count)") {
                try wire.recode(Array(wire.bytes.prefix(count)))
            }
        }
    }

    @Test("that goes on behind its end is refused", arguments: Wire.samples)
    func leftover(wire: Wire) {
        #expect(throws: LinkFormatError.leftover(byteCount: 3)) { try wire.recode(wire.bytes + [1, 2, 3]) }
    }

    @Test("of a later version is refused with a text that says which there are")
    func versionText() {
        let error = LinkFormatError.version(LinkVersion.spoken.upperBound + 1)
        #expect(
            error.description
                == "its envelope has version 3, and this program reads 1 to 2: the older program must be exchanged"
        )
    }

    @Test("of another version is refused", arguments: Wire.samples)
    func version(wire: Wire) {
        for version in (0...255).map({ UInt8($0) }) where !LinkVersion.spoken.contains(version) {
            #expect(throws: LinkFormatError.version(version)) {
                try wire.recode([version] + wire.bytes.dropFirst())
            }
        }
    }

    @Test(
        "is read as something else or refused, whichever of its bytes is changed to whatever",
        arguments: Wire.samples
    )
    func changed(wire: Wire) throws {
        var refusedCount = 0
        var readCount = 0
        for index in wire.bytes.indices {
            for change in (1...255).map({ UInt8($0) }) {
                var bytes = wire.bytes
                bytes[index] ^= change
                do throws(LinkFormatError) {
                    let written = try wire.recode(bytes)
                    // What was read can be written, and then reads as itself.
                    let again = try wire.recode(written)
                    #expect(again == written, "byte \(index) changed by \(change)")
                    readCount += 1
                } catch {
                    refusedCount += 1
                }
            }
        }
        #expect(readCount + refusedCount == wire.bytes.count * 255)
        #expect(refusedCount >= 2 * 255 - 30, "a changed version or kind goes unnoticed")
    }

    @Test("of a kind, command, reply, task or queue action that is not known is refused")
    func unknown() {
        #expect(throws: LinkFormatError.unknown(field: "message to leader", value: 9)) {
            try MessageToLeader(decoding: [1, 9])
        }
        #expect(throws: LinkFormatError.unknown(field: "message from leader", value: 1)) {
            try MessageFromLeader(decoding: [1, 1])
        }
        #expect(throws: LinkFormatError.unknown(field: "task", value: 6)) {
            try MessageToLeader(decoding: [1, 5, 6] + [UInt8](repeating: 0, count: 8))
        }
        #expect(throws: LinkFormatError.unknown(field: "operation", value: 15)) {
            try MessageToLeader(decoding: Self.batch(of: [15] + [UInt8](repeating: 0, count: 8)))
        }
        #expect(throws: LinkFormatError.unknown(field: "queue action", value: 4)) {
            try MessageToLeader(decoding: Self.batch(of: [10] + [UInt8](repeating: 0, count: 8) + [4, 1]))
        }
        #expect(throws: LinkFormatError.unknown(field: "reply", value: 8)) {
            var writer = LinkWriter()
            LinkReply.encode([.ok], into: &writer)
            try Self.read(writer.bytes.dropLast() + [8]) { reader throws(LinkFormatError) in
                _ = try LinkReply.readList(from: &reader)
            }
        }
    }

    @Test("whose list is as long as it may be is read, and one longer refused", arguments: BoundedList.all)
    func bounds(list: BoundedList) throws {
        try list.decode(list.bound)
        #expect(throws: LinkFormatError.tooMany(count: list.bound + 1, bound: list.bound)) {
            try list.decode(list.bound + 1)
        }
    }

    @Test("cannot make the reader reserve more than the message could hold")
    func hugeCount() {
        // A count within the bound, but of far more elements than bytes are left.
        var writer = LinkWriter()
        writer.write(UInt32(LinkBound.filteredJobCount))
        #expect(throws: LinkFormatError.truncated) {
            try Self.read(writer.bytes) { reader throws(LinkFormatError) in
                _ = try reader.readStrings(atMost: LinkBound.filteredJobCount)
            }
        }
        #expect(throws: LinkFormatError.truncated) {
            try Self.read([255, 255, 255, 255, 0]) { reader throws(LinkFormatError) in _ = try reader.readBytes() }
        }
    }

    /// A batch of one command with these bytes.
    private static func batch(of command: [UInt8]) -> [UInt8] {
        CommandBatch.encode(
            lane: LaneKey(session: MessageToLeader.session, lane: 0),
            number: 1,
            settled: 0,
            commandCount: 1,
            commands: command
        )
    }

    private static func read(
        _ bytes: [UInt8],
        _ body: (inout LinkReader) throws(LinkFormatError) -> Void
    ) throws(LinkFormatError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(LinkFormatError) in
            var reader = LinkReader(UnsafeRawBufferPointer(bytes))
            try body(&reader)
        }
    }
}

/// A list in a message, which can be made with any number of elements.
struct BoundedList: Sendable, CustomStringConvertible {
    let description: String
    let bound: Int
    let decode: @Sendable (Int) throws -> Void

    static let all: [BoundedList] = [
        BoundedList(description: "commands", bound: LinkBound.commandCount) { count in
            try Self.decode(MessageToLeader.batch((0..<count).map { LinkCommand(request: UInt64($0), .info) }))
        },
        BoundedList(description: "replies", bound: LinkBound.commandCount) { count in
            try Self.decode(.replies(Self.lane, batch: 1, Array(repeating: .ok, count: count)))
        },
        BoundedList(description: "late replies", bound: MessageFromLeader.listBound) { count in
            try Self.decode(.late(Self.lane, Array(repeating: LateReply(request: 1, reply: .ok), count: count)))
        },
        BoundedList(description: "dropped workers", bound: MessageFromLeader.listBound) { count in
            try Self.decode(.dropWorkers(MessageToLeader.session, Array(repeating: "w", count: count)))
        },
        BoundedList(description: "queues of a fetch", bound: LinkBound.queueCount) { count in
            try Self.decode(.fetch(worker: "", queues: Array(repeating: "q", count: count), waitMilliseconds: 0))
        },
        BoundedList(description: "queues of an action", bound: LinkBound.queueCount) { count in
            try Self.decode(.queue(.pause, names: .named(Array(repeating: "q", count: count))))
        },
        BoundedList(description: "queues of a latency", bound: LinkBound.queueCount) { count in
            try Self.decode(.latency(queues: Array(repeating: "q", count: count)))
        },
        BoundedList(description: "backtrace lines", bound: LinkBound.backtraceLineCount) { count in
            try Self.decode(
                .fail(jobID: "j", errorType: "e", message: "m", backtrace: Array(repeating: "l", count: count))
            )
        },
        BoundedList(description: "labels", bound: LinkBound.labelCount) { count in
            try Self.decode(
                .workerJoined(
                    WorkerIntroduction(
                        worker: "w",
                        hostname: "h",
                        processID: 1,
                        labels: Array(repeating: "l", count: count),
                        residentKilobytes: 1
                    )
                )
            )
        },
        BoundedList(description: "filtered jobs", bound: LinkBound.filteredJobCount) { count in
            let names = JobIDList(repeatElement("", count: count))
            let filter = MutationRequest.Filter(jobIDs: names, pattern: nil, jobType: nil)
            try Self.decode(.mutate(MutationRequest(operation: "kill", target: "dead", filter: filter)))
        },
    ]

    private static let lane = LaneKey(session: MessageToLeader.session, lane: 0)

    private static func decode(_ message: MessageToLeader) throws {
        _ = try MessageToLeader(decoding: message.encoded())
    }

    private static func decode(_ command: LinkCommand.Body) throws {
        try Self.decode(MessageToLeader.batch([LinkCommand(request: 1, command)]))
    }

    private static func decode(_ message: MessageFromLeader) throws {
        _ = try MessageFromLeader(decoding: message.encoded())
    }
}
