import Foundation
import TestSupport

/// A key and a certificate for the loopback address, which vouches for itself; for a server and for a client.
struct TestCertificate {
    let certificatePath: String
    let keyPath: String
    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
        self.certificatePath = self.directory.file("certificate.pem")
        self.keyPath = self.directory.file("key.pem")
        try Data(Self.certificate.utf8).write(to: URL(fileURLWithPath: self.certificatePath))
        try Data(Self.key.utf8).write(to: URL(fileURLWithPath: self.keyPath))
    }

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi5TkTN7LUlgicZDW
        qyl1iiFYr9sGhQ4nfxogizpMecahRANCAATvNQgx7CRGfVGIArZtL04aW332Ra21
        hjp1l9uGA+Y2HZqiqvUZEkqKCIo+49z4n/LpAgw39NzGOP17Bn5Nnhzr
        -----END PRIVATE KEY-----
        """

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBxTCCAWqgAwIBAgIUTsWV7QtQ/EtRuvlTAHTycQdJfkEwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNbWlsbHJhY2UtdGVzdDAgFw0yNjExMjQxNTMxNDFaGA8yMTI2
        MTAzMTE1MzE0MVowGDEWMBQGA1UEAwwNbWlsbHJhY2UtdGVzdDBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABO81CDHsJEZ9UYgCtm0vThpbffZFrbWGOnWX24YD5jYd
        mqKq9RkSSooIij7j3Pif8ukCDDf03MY4/XsGfk2eHOujgY8wgYwwHQYDVR0OBBYE
        FLKVlgX/2CE62dZFe0k2nbWVeL6ZMB8GA1UdIwQYMBaAFLKVlgX/2CE62dZFe0k2
        nbWVeL6ZMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/
        AAABMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAKBggqhkjOPQQDAgNJ
        ADBGAiEA240XBWKxEUEEo8kDPyabEALCLxlb8DPJe4TmIEbi5G4CIQDLUNp33pZL
        CAQKBUoSYY8KnogAlyiRmHew+QVGICcBJg==
        -----END CERTIFICATE-----
        """
}
