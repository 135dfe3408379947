/// Why a front cannot be started or changed.
package enum FrontError: Error, Equatable {
    /// The configuration cannot be.
    case configuration(field: String, reason: String)
    /// The certificate or the key cannot be used.
    case certificate(reason: String)
    /// The address cannot be listened on; the code is the system's, if it gave one.
    case bind(host: String, port: Int, code: Int32?, reason: String)
}
