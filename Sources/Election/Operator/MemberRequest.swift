/// What an operator's command asks of a member.
package enum MemberRequest: Hashable, Sendable {
    /// Tell what you are and what you know; answered with a ``MemberStatus``.
    case status
    /// If you lead, let this member lead next; answered with a ``MemberStatus``.
    case handOver(to: MemberID)
    /// Tell how far the members are, or lead although too few of them answer; answered with a ``MemberStatus``.
    case recover(acceptLoss: Bool)

    private static let greeting = "millrace 1 "

    /// The request as it goes over the link: a line of text without its end.
    package func encoded() -> [UInt8] {
        let words =
            switch self {
            case .status: "status"
            case .handOver(let member): "hand-over \(member.number)"
            case .recover(false): "recover"
            case .recover(true): "recover accept-loss"
            }
        return Array((Self.greeting + words).utf8)
    }

    /// Reads exactly what `encoded()` writes; nil for anything else.
    package init?(decoding bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(Self.greeting) else { return nil }
        let words = text.dropFirst(Self.greeting.count)
        switch words {
        case "status": self = .status
        case "recover": self = .recover(acceptLoss: false)
        case "recover accept-loss": self = .recover(acceptLoss: true)
        default:
            guard words.hasPrefix("hand-over "), let number = UInt8(words.dropFirst("hand-over ".count)),
                number <= MemberID.greatestNumber
            else { return nil }
            self = .handOver(to: MemberID(number))
        }
        guard self.encoded() == bytes else { return nil }
    }
}
