import NIOSSL

/// How a client checks that it talks to the right server over TLS.
public struct TLSOptions: Hashable, Sendable {
    /// Which certificate authorities are believed.
    public struct TrustRoots: Hashable, Sendable {
        enum Source: Hashable {
            case system
            case file(String)
            case text(String)
        }

        let source: Source

        /// The authorities that the system trusts.
        public static let system = TrustRoots(source: .system)

        /// The authorities in a file of PEM certificates.
        public static func file(_ path: String) -> TrustRoots {
            TrustRoots(source: .file(path))
        }

        /// The authorities in a text of PEM certificates.
        public static func pem(_ text: String) -> TrustRoots {
            TrustRoots(source: .text(text))
        }
    }

    /// Which certificate authorities are believed.
    public var trustRoots: TrustRoots
    /// Whether the certificate must be for the host that was asked for.
    ///
    /// Without this check, anyone with any certificate of the same authority can stand in for the server.
    public var verifiesHostname: Bool

    /// Trusts the system's authorities and verifies the host's name, unless told otherwise.
    public init(trustRoots: TrustRoots = .system, verifiesHostname: Bool = true) {
        self.trustRoots = trustRoots
        self.verifiesHostname = verifiesHostname
    }
}

extension TLSOptions {
    /// Reads the certificates and prepares what every connection shares.
    func makeContext() throws(FaktoryError) -> NIOSSLContext {
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.certificateVerification = self.verifiesHostname ? .fullVerification : .noHostnameVerification
            switch self.trustRoots.source {
            case .system: configuration.trustRoots = .default
            case .file(let path): configuration.trustRoots = .file(path)
            case .text(let text):
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw FaktoryError(.invalidConfiguration, "the TLS trust roots cannot be used: \(error)")
        }
    }
}
