import NIOSSL
import Synchronization

/// What may change while a web server runs; each connection and request uses what is there when it comes.
final class WebSecrets: Sendable {
    struct Values: Sendable {
        /// Asked for by all but `/health`; nil asks for nothing.
        var password: String?
        var tls: NIOSSLContext?
    }

    private let values: Mutex<Values>

    init(_ values: Values) {
        self.values = Mutex(values)
    }

    var current: Values { self.values.withLock { $0 } }

    func replace(with values: Values) {
        self.values.withLock { $0 = values }
    }
}

extension WebSecrets.Values {
    init(_ configuration: StatusServer.Configuration) throws {
        self.password = configuration.password
        self.tls = try configuration.tls.map { try NIOSSLContext(configuration: $0) }
    }
}
