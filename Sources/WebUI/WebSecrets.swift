import NIOSSL
import Synchronization

/// What may change while a web server runs; each connection and request uses what is there when it comes.
final class WebSecrets: Sendable {
    struct Values: Sendable {
        /// Asked for by all but `/health`; nil asks for nothing.
        var password: String?
        var tls: NIOSSLContext?
        /// What the context was made of, by which one tells whether it is a new one.
        fileprivate var source: TLSConfiguration?
    }

    private let values: Mutex<Values>

    init(_ values: Values) {
        self.values = Mutex(values)
    }

    var current: Values { self.values.withLock { $0 } }

    /// - Returns: what is new, for people.
    func replace(with new: Values) -> [String] {
        self.values.withLock { values in
            var changes: [String] = []
            if values.password != new.password { changes.append("password") }
            if let old = values.source, let source = new.source, !old.bestEffortEquals(source) {
                changes.append("certificate")
            }
            values = new
            return changes
        }
    }
}

extension WebSecrets.Values {
    init(_ configuration: StatusServer.Configuration) throws {
        self.password = configuration.password
        self.tls = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
        self.source = configuration.tls
    }
}
