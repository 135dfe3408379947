/// The end of the link that a front holds, driven by the front's own event loop.
///
/// A thread of the link's own would cost two thread switches for each message: this link has none. Whoever owns it
/// watches a descriptor together with its clients and takes the messages where it uses them.
package protocol PolledPeerLink: Sendable {
    /// Connects; ever after the link connects again by itself whenever the leader is gone.
    ///
    /// - Parameter hasMessages: called by whoever sends, on its thread, when messages wait that the descriptor may
    ///   not tell of, because sending took notice of them first. It must not call back into the link.
    /// - Returns: a descriptor of an event counter, which becomes readable when there may be messages. It belongs to
    ///   the caller, who reads and closes it.
    func open(_ hasMessages: @escaping @Sendable () -> Void) throws(LinkError) -> CInt

    /// Sends without waiting, from any thread. Beyond the link's bound the message is dropped.
    func send(_ message: [UInt8])

    /// Hands over every message that is there, without waiting. One thread calls it, always the same.
    ///
    /// - Parameter count: what the caller has read from the descriptor; 0 when it did not read.
    func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void)

    /// Lets go of the connection; what was sent before leaves within `linger`.
    func close()
}
