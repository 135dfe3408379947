/// The certificate that the command port and the web server show.
///
/// TLS is on when both files are known: named here, or found by the loader as `public.cert.pem` and `private.key.pem`
/// in the configuration directory, as Faktory does.
package struct TLSSection: Sendable, Equatable {
    /// The names that are looked for in the configuration directory.
    static let certificateName = "public.cert.pem"
    static let privateKeyName = "private.key.pem"

    /// The path of the certificate chain, in PEM.
    package var certificate: String?
    /// The path of its private key, in PEM.
    package var privateKey: String?

    package init() {}

    /// Whether connections are encrypted.
    package var isEnabled: Bool { self.certificate != nil && self.privateKey != nil }

    /// What is wrong with the values of this group.
    package func problems() -> [SettingProblem] {
        switch (self.certificate, self.privateKey) {
        case (.some, nil): [SettingProblem(setting: "tls.certificate", reason: "needs tls.private_key as well")]
        case (nil, .some): [SettingProblem(setting: "tls.private_key", reason: "needs tls.certificate as well")]
        default: []
        }
    }
}

extension TLSSection {
    static let group = SettingGroup(
        "tls",
        """
        The certificate of the command port and the web server. Without these, public.cert.pem and private.key.pem in the \
        config directory are used if both are there. SIGHUP reads the files again.
        """,
        [
            Setting(
                "tls.certificate",
                optional: \.tls.certificate,
                .text,
                readBy: [.front],
                isReloaded: true,
                example: #""/etc/faktory/public.cert.pem""#,
                "The file of the certificate chain, in PEM."
            ),
            Setting(
                "tls.private_key",
                optional: \.tls.privateKey,
                .text,
                readBy: [.front],
                isReloaded: true,
                example: #""/etc/faktory/private.key.pem""#,
                "The file of its private key, in PEM."
            ),
        ]
    )
}
