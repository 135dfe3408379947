import JobCore

extension Command {
    /// Understands the argument of QUEUE, whose first word counts in any case.
    static func queue(_ argument: UnsafeBufferPointer<UInt8>) -> Command {
        let end = argument.firstIndex(of: UInt8(ascii: " ")) ?? argument.count
        let word = argument[..<end].prefix(EchoedText.maximumByteCount + 1)
        let subcommand = String(decoding: word, as: UTF8.self).uppercased()
        let rest = UnsafeBufferPointer(rebasing: argument[min(end + 1, argument.count)...])
        guard let names = Words(rest, maximumCount: self.maximumQueueCount)?.texts else {
            return .rejected("cannot name more than \(self.maximumQueueCount) queues")
        }
        switch subcommand {
        case "PAUSE": return self.queue(names, subcommand) { .pause($0) }
        case "RESUME": return self.queue(names, subcommand) { .resume($0) }
        case "REMOVE": return self.queue(names, subcommand) { .remove($0) }
        case "LATENCY":
            guard names != ["*"] else { return .rejected("QUEUE LATENCY does not support wildcards") }
            return .queue(.latency(names))
        default: return .rejected("no such QUEUE subcommand: \(EchoedText(subcommand))")
        }
    }

    /// An asterisk means all queues only where upstream looks for it: in the first place.
    private static func queue(
        _ names: [String],
        _ subcommand: String,
        _ make: (QueueCommand.Selection) -> QueueCommand
    ) -> Command {
        guard let first = names.first else { return .rejected("missing queue name for QUEUE \(subcommand)") }
        return .queue(make(first == "*" ? .all : .names(names)))
    }
}
