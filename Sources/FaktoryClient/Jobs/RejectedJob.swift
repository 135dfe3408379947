/// A job of a bulk push that the server did not store.
public struct RejectedJob: Hashable, Sendable {
    /// The job's id.
    public let id: String
    /// The server's words.
    public let reason: String
}
