import FaktoryWire
import NIOSSL
import Synchronization

/// What may change while the front runs; each new connection uses what is there when it comes.
final class FrontSecrets: Sendable {
    struct Values: Sendable {
        var password: String?
        var tls: NIOSSLContext?
        /// What the context was made from.
        fileprivate var tlsConfiguration: TLSConfiguration?

        /// What is new, for people.
        func changes(from earlier: Values) -> [String] {
            var changes: [String] = []
            if self.password != earlier.password { changes.append("password") }
            if let new = self.tlsConfiguration, let old = earlier.tlsConfiguration, !new.bestEffortEquals(old) {
                changes.append("certificate")
            }
            return changes
        }
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

extension FrontSecrets.Values {
    init(_ configuration: FrontServer.Configuration) throws(FrontError) {
        self.password = configuration.password
        guard let tls = configuration.tls else { return }
        self.tlsConfiguration = tls
        do {
            self.tls = try NIOSSLContext(configuration: tls)
        } catch {
            throw .certificate(reason: String(describing: error))
        }
    }
}
