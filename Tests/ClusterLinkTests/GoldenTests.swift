import ClusterLink
import Foundation
import JobCore
import Testing

/// The bytes of envelope version 1 as `docs/link-protocol.md` describes them.
///
/// The files were written from that description by another program, and never change: a later version gets a folder
/// of its own beside this one, and stays readable for as long as `LinkVersion.spoken` says.
@Suite("Version 1 of the envelope")
struct GoldenTests {
    @Test("is what this program writes", arguments: Wire.samples)
    func writes(wire: Wire) throws {
        let golden = try Self.golden(wire.description)
        #expect(wire.bytes == golden, "\(wire): this program writes \(Self.hex(wire.bytes))")
    }

    @Test("is what this program reads", arguments: Wire.samples)
    func reads(wire: Wire) throws {
        let golden = try Self.golden(wire.description)
        #expect(try wire.recode(golden) == golden)
    }

    @Test("has a successor with more in three messages, which is read and written as well", arguments: Self.version2)
    func isSecond(name: String, message: Second) throws {
        let golden = try Self.golden(name, version: 2)
        #expect(message.bytes == golden, "\(name): this program writes \(Self.hex(message.bytes))")
        #expect(try message.recode(golden) == golden)
    }

    /// A message of version 2.
    enum Second: Sendable {
        case toLeader(MessageToLeader)
        case fromLeader(MessageFromLeader)

        var bytes: [UInt8] {
            switch self {
            case .toLeader(let message): message.encoded()
            case .fromLeader(let message): message.encoded()
            }
        }

        func recode(_ bytes: [UInt8]) throws -> [UInt8] {
            switch self {
            case .toLeader: try MessageToLeader(decoding: bytes).encoded()
            case .fromLeader: try MessageFromLeader(decoding: bytes).encoded()
            }
        }
    }

    private static let version2: [(String, Second)] = [
        (
            "to-leader-heartbeat",
            .toLeader(
                .heartbeat(
                    MessageToLeader.session,
                    FrontStatistics(
                        connectionCount: 7,
                        commandCount: 1 << 40,
                        residentKilobytes: 9,
                        uptimeSeconds: 60
                    )
                )
            )
        ),
        (
            "to-leader-batch",
            .toLeader(
                .batch(
                    CommandBatch(
                        lane: LaneKey(session: MessageToLeader.session, lane: 0x2122),
                        number: 0x31,
                        settled: 0x41,
                        commands: [],
                        deliveries: CommandBatch.Deliveries(arrived: 0x45, written: [0x43, 0x44])
                    )
                )
            )
        ),
        ("from-leader-speaks", .fromLeader(.speaks(MessageToLeader.session, version: 2))),
    ]

    @Test("has a file for each sample and a sample for each file")
    func complete() throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Golden/v1")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.sorted() == Wire.samples.map { "\($0).hex" }.sorted())
    }

    @Test("is the version that is written, and one of those that are read")
    func current() {
        #expect(LinkVersion.current == 1)
        #expect(LinkVersion.spoken.contains(1))
    }

    /// Reads hexadecimal digits; white space between them, and what follows a number sign in a line, count for nothing.
    private static func golden(_ name: String, version: Int = 1) throws -> [UInt8] {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Golden/v\(version)")
        let text = try String(contentsOf: folder.appending(path: "\(name).hex"), encoding: .utf8)
        let digits = text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { $0.prefix { $0 != "#" }.filter { !$0.isWhitespace } }
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            try #require(UInt8(String(digits[index...min(index + 1, digits.count - 1)]), radix: 16))
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0\(text)" : text
        }.joined()
    }
}
