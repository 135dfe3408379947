/// Why a front cannot be started or changed.
package enum FrontError: Error, Equatable {
    /// The configuration cannot be.
    case configuration(field: String, reason: String)
    /// The certificate or the key cannot be used.
    case certificate(reason: String)
    /// The address cannot be listened on.
    case bind(host: String, port: Int, reason: String)
}
