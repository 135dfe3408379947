/// The versions of the envelope that this program speaks.
///
/// Every message begins with its version. Fields are added at the end of a message in
/// a new version and never given a second meaning; `docs/link-protocol.md` describes each.
package enum LinkVersion {
    /// What this program writes to whoever has not said that it reads more.
    package static let current: UInt8 = 1
    /// What it writes where a message needs it, to those that have.
    package static let latest: UInt8 = 2
    /// What this program still reads.
    package static let spoken: ClosedRange<UInt8> = 1...2
}

/// The bounds of what one message may hold; a message beyond them is refused unread.
package enum LinkBound {
    /// Bytes in one message.
    ///
    /// A front closes a batch long before.
    package static let messageByteCount = 256 << 20
    /// Bytes of answers that a leader puts into one message, the last one excepted.
    package static let replyByteCount = LinkBound.messageByteCount / 4
    /// Commands in one batch.
    package static let commandCount = 20_000
    /// Queues named by one command.
    package static let queueCount = 1_000
    /// Bytes of a PUSHB that is never deferred; a front lets nothing of a connection pass a longer one.
    package static let promptBulkByteCount = 32 << 10
    /// Labels of one worker.
    package static let labelCount = 100
    /// Lines of one backtrace.
    package static let backtraceLineCount = 50
    /// Offers that one batch names as written.
    package static let writtenOfferCount = 1_000
    /// Jobs named by one mutation's filter.
    package static let filteredJobCount = 1_000_000
}
