import Foundation
import NIOSSL

/// A self-signed certificate for one host, made anew by `openssl` for each test that needs one.
struct TestCertificate {
    let certificate: String
    let key: String

    /// - Parameter name: what the certificate is for, such as `DNS:localhost` or `IP:127.0.0.1`.
    init(for name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let keyFile = folder.appendingPathComponent("key.pem")
        let certificateFile = folder.appendingPathComponent("certificate.pem")

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=test", "-addext", "subjectAltName=\(name)",
            "-keyout", keyFile.path, "-out", certificateFile.path,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        self.certificate = try String(contentsOf: certificateFile, encoding: .utf8)
        self.key = try String(contentsOf: keyFile, encoding: .utf8)
    }

    func serverContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(self.certificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(self.key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        )
    }
}
