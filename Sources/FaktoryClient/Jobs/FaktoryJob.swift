/// A job whose single argument is a Swift value.
///
/// ```swift
/// struct SendReceipt: FaktoryJob {
///     static let jobType = "SendReceipt"
///     let orderID: Int
///     let address: String
/// }
/// ```
///
/// Workers in other languages see one argument, an object. Dates are written as RFC 3339 text.
public protocol FaktoryJob: Codable, Sendable {
    /// The name under which workers know how to do it.
    static var jobType: String { get }
    /// The queue into which jobs of this type go; `default` unless the type says otherwise.
    static var queue: String { get }
}

extension FaktoryJob {
    public static var queue: String { JobRequest.defaultQueue }
}
