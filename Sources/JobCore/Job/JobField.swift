/// The members of a payload that mean something to the server, in the order in which upstream writes them.
enum JobField: Int, CaseIterable {
    case retry
    case failure
    case custom
    case id
    case queue
    case type
    case createdAt
    case enqueuedAt
    case at
    case arguments
    case reserveFor
    case backtrace

    /// The key as every client spells it or can read it.
    @inline(__always)
    var key: StaticString {
        switch self {
        case .retry: "retry"
        case .failure: "failure"
        case .custom: "custom"
        case .id: "jid"
        case .queue: "queue"
        case .type: "jobtype"
        case .createdAt: "created_at"
        case .enqueuedAt: "enqueued_at"
        case .at: "at"
        case .arguments: "args"
        case .reserveFor: "reserve_for"
        case .backtrace: "backtrace"
        }
    }

    /// The type of the field as Go's decoder calls it in its error texts.
    var goType: String {
        switch self {
        case .retry, .reserveFor, .backtrace: "int"
        case .id, .queue, .type, .createdAt, .enqueuedAt, .at: "string"
        case .failure: "client.Failure"
        case .custom: "map[string]interface {}"
        case .arguments: "[]interface {}"
        }
    }

    var kind: JSONKind {
        switch self {
        case .retry, .reserveFor, .backtrace: .number
        case .id, .queue, .type, .createdAt, .enqueuedAt, .at: .string
        case .failure, .custom: .object
        case .arguments: .array
        }
    }

    /// The field whose key this is but for the case of its letters.
    ///
    /// - Parameter key: the text between the quotes, already checked.
    @inline(__always)
    init?(key: UnsafeBufferPointer<UInt8>) {
        let candidates: (JobField, JobField?)
        switch key.count {
        case 2: candidates = (.at, nil)
        case 3: candidates = (.id, nil)
        case 4: candidates = (.arguments, nil)
        case 5: candidates = (.queue, .retry)
        case 6: candidates = (.custom, nil)
        case 7: candidates = (.type, .failure)
        case 9: candidates = (.backtrace, nil)
        case 10: candidates = (.createdAt, nil)
        case 11: candidates = (.reserveFor, .enqueuedAt)
        default: return nil
        }
        if candidates.0.matches(key) {
            self = candidates.0
        } else if let other = candidates.1, other.matches(key) {
            self = other
        } else {
            return nil
        }
    }

    @inline(__always)
    private func matches(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let name = self.key
        for index in 0..<key.count where JSONText.lowercased(key[index]) != name.utf8Start[index] { return false }
        return true
    }

    /// Whether the key is spelt as it should be, given that it matches but for the case.
    @inline(__always)
    static func isCanonical(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in key where byte &- UInt8(ascii: "A") < 26 { return false }
        return true
    }
}
