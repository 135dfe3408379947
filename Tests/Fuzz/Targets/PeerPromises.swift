import Election
import JobCore

/// What peers say to a member, one message after the other, is read as it is written, and never makes it lead by itself.
///
/// The input is a sequence of pieces: how many bytes a message has, who sends it, and its bytes. A piece without bytes lets
/// time go by.
enum PeerPromises {
    /// The most actions that one message may cause.
    private static let actionBound = 64

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        var machine = MemberMachine(
            id: MemberID(0),
            membership: Membership((0..<3).map { MemberID($0) }),
            record: MemberRecord(promise: Epoch(1), isClean: true),
            at: Uptime(nanoseconds: 0)
        )
        var now = Uptime(nanoseconds: 0)
        try self.tell(&machine, .redis(.started(isIntact: true, run: nil)), at: now)
        var rest = input[...]
        while let byteCount = rest.popFirst(), let sender = rest.popFirst() {
            let bytes = Array(rest.prefix(Int(byteCount)))
            rest = rest.dropFirst(bytes.count)
            guard !bytes.isEmpty else {
                now = now + .milliseconds(20 * Int(sender))
                try self.tell(&machine, .tick, at: now)
                continue
            }
            if let request = MemberRequest(decoding: bytes) {
                try BrokenPromise.unless(request.encoded() == bytes, "a request is written as it was read")
            }
            guard let message = try? PeerMessage(decoding: bytes) else { continue }
            try BrokenPromise.unless(message.encoded() == bytes, "a message is written as it was read")
            try self.tell(&machine, .message(message, from: MemberID(1 + sender % 2)), at: now)
        }
    }

    /// Tells the machine, and does what it wants of its disk; Redis refuses everything, and etcd says nothing.
    private static func tell(
        _ machine: inout MemberMachine,
        _ event: TakeOverEvent,
        at now: Uptime
    ) throws(BrokenPromise) {
        var events = [event]
        var count = 0
        while let event = events.popLast() {
            let actions = machine.receive(event, at: now)
            count += actions.count
            try BrokenPromise.unless(count <= Self.actionBound, "a message causes \(count) actions")
            for action in actions {
                switch action {
                case .store(let record): events.append(.stored(record))
                case .startServing: throw BrokenPromise("a member leads that etcd has not named")
                case .redis(.detach(let operation)), .redis(.promote(let operation, _)),
                    .redis(.replicate(let operation, _)):
                    events.append(.redis(.failed(operation: operation)))
                default: break
                }
            }
            try BrokenPromise.unless(machine.leadership == nil, "a member leads that etcd has not named")
        }
    }
}
