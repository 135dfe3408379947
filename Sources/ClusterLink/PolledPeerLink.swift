/// The end of the link that a front holds to one manager, driven by the front's own event loop.
///
/// A thread of the link's own would cost two thread switches for each message: this link has none. Whoever owns it
/// watches a descriptor together with its clients and takes the messages where it uses them.
package protocol PolledPeerLink: Sendable {
    /// Connects; ever after the link connects again by itself whenever the manager is gone.
    ///
    /// - Parameter notify: called by whoever sends, on its thread, when messages wait, or `isConnected` has changed,
    ///   that the descriptor may not tell of, because sending took notice of it first. It must not call back into the
    ///   link.
    /// - Returns: a descriptor of an event counter, which becomes readable when there may be messages. It belongs to
    ///   the caller, who reads and closes it.
    func open(_ notify: @escaping @Sendable () -> Void) throws(LinkError) -> CInt

    /// Whether the manager's process was there when the link was used last.
    ///
    /// It says nothing about whether that manager leads.
    var isConnected: Bool { get }

    /// Sends without waiting, from any thread. While the manager is not there, and beyond the link's bound, the message
    /// is dropped: nothing old ever reaches a manager that comes back.
    func send(_ message: [UInt8])

    /// Hands over every message that is there, without waiting, and looks whether the manager is there. One thread calls
    /// it, always the same.
    ///
    /// - Parameter count: what the caller has read from the descriptor; 0 when it did not read.
    func receive(afterReading count: UInt64, _ body: (UnsafeRawBufferPointer) -> Void)

    /// Lets go of the connection; what was sent before leaves within `linger`.
    func close()
}
