import JobCore

/// Why bytes are not a peer message.
package enum PeerMessageError: Error, Equatable {
    /// The message is shorter or longer than its kind says.
    case length(Int)
    /// The version is none that this program speaks.
    case version(UInt8)
    /// There is no message of this kind.
    case kind(UInt8)
    /// A truth value is neither 0 nor 1.
    case truth(UInt8)
}

/// A version, a kind, an epoch, and what the kind has beside it; integers in little-endian order.
extension PeerMessage {
    /// The version that is written, and the only one that is read.
    package static let version: UInt8 = 1
    /// The length of the longest message: an answer to a cut.
    package static let greatestByteCount = 27

    private static let headByteCount = 10

    private enum Kind {
        static let cut: UInt8 = 1
        static let cutAnswer: UInt8 = 2
        static let cutRefused: UInt8 = 3
        static let follow: UInt8 = 4
        static let heartbeat: UInt8 = 5
        static let suspect: UInt8 = 6
        static let announce: UInt8 = 7
    }

    /// The message as it goes over the link.
    package func encoded() -> [UInt8] {
        switch self {
        case .cut(let epoch): Self.head(Kind.cut, epoch)
        case .cutAnswer(let epoch, let position, let isVoter):
            Self.head(Kind.cutAnswer, epoch) + Self.bytes(position.epoch.number) + Self.bytes(position.sequence)
                + [isVoter ? 1 : 0]
        case .cutRefused(let epoch, let promised): Self.head(Kind.cutRefused, epoch) + Self.bytes(promised.number)
        case .follow(let epoch): Self.head(Kind.follow, epoch)
        case .heartbeat(let epoch): Self.head(Kind.heartbeat, epoch)
        case .suspect(let epoch): Self.head(Kind.suspect, epoch)
        case .announce(let epoch, let name):
            Self.head(Kind.announce, epoch) + Self.bytes(name.high) + Self.bytes(name.low)
        }
    }

    /// Reads exactly what `encoded()` writes.
    package init(decoding bytes: [UInt8]) throws(PeerMessageError) {
        guard bytes.count >= 2 else { throw .length(bytes.count) }
        guard bytes[0] == Self.version else { throw .version(bytes[0]) }
        let rest =
            switch bytes[1] {
            case Kind.cut, Kind.follow, Kind.heartbeat, Kind.suspect: 0
            case Kind.cutRefused: 8
            case Kind.announce: 16
            case Kind.cutAnswer: 17
            default: throw PeerMessageError.kind(bytes[1])
            }
        guard bytes.count == Self.headByteCount + rest else { throw .length(bytes.count) }
        let epoch = Epoch(Self.number(in: bytes, at: 2))
        switch bytes[1] {
        case Kind.cut: self = .cut(epoch)
        case Kind.follow: self = .follow(epoch)
        case Kind.heartbeat: self = .heartbeat(epoch)
        case Kind.suspect: self = .suspect(epoch)
        case Kind.announce:
            let name = ReplicaName(high: Self.number(in: bytes, at: 10), low: Self.number(in: bytes, at: 18))
            self = .announce(epoch, as: name)
        case Kind.cutRefused: self = .cutRefused(epoch, promised: Epoch(Self.number(in: bytes, at: 10)))
        default:
            guard bytes[26] <= 1 else { throw .truth(bytes[26]) }
            let position = Position(
                epoch: Epoch(Self.number(in: bytes, at: 10)),
                sequence: Self.number(in: bytes, at: 18)
            )
            self = .cutAnswer(epoch, position: position, isVoter: bytes[26] == 1)
        }
    }

    private static func head(_ kind: UInt8, _ epoch: Epoch) -> [UInt8] {
        [Self.version, kind] + Self.bytes(epoch.number)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func number(in bytes: [UInt8], at offset: Int) -> UInt64 {
        bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
