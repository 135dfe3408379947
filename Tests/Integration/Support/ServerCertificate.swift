import Foundation
import TestSupport
import Testing

/// A new self-signed certificate for the loopback address, and its key.
struct ServerCertificate: Sendable {
    private static let keyName = "private.key.pem"
    private static let certificateName = "public.cert.pem"

    /// Both, by the names that Faktory gives their files in the config directory.
    let files: [String: String]

    /// What a client has to trust.
    let certificate: String

    init() throws {
        let directory = try TemporaryDirectory()
        let paths = [Self.keyName, Self.certificateName].map(directory.file)
        let openssl = try SpawnedProgram(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", paths[0], "-out", paths[1],
            ]
        )
        #expect(try openssl.waitForEnd() == .code(0), "\(openssl.text)")
        self.certificate = try String(contentsOfFile: paths[1], encoding: .utf8)
        self.files = [
            Self.keyName: try String(contentsOfFile: paths[0], encoding: .utf8), Self.certificateName: self.certificate,
        ]
    }
}
