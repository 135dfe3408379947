import NIOSSL

/// A key and a certificate for `localhost` that nobody trusts.
enum TestCertificate {
    static func serverConfiguration() throws -> TLSConfiguration {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
        return .makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
    }

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/muonC7bmNoaJ1q9
        wbku30o+/7+toRF0WMHNm4MmGYOhRANCAAR7McRxL4NFxmeqVL3GF2W1amS6WoNC
        XmCFoKExR9vKoyMvfATYEtL+/TgOlCCltlztHcYCUvL9yrQQ925l8ajD
        -----END PRIVATE KEY-----
        """

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBfjCCASWgAwIBAgIUE7V0lIqZjwkxcCtTjM0YalOwTbQwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDExNTE0OVoYDzIxMjYxMDMx
        MTE1MTQ5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAR7McRxL4NFxmeqVL3GF2W1amS6WoNCXmCFoKExR9vKoyMvfATYEtL+
        /TgOlCCltlztHcYCUvL9yrQQ925l8ajDo1MwUTAdBgNVHQ4EFgQUv8TmMmdzj7xx
        sQqJGzyZdoMgYBswHwYDVR0jBBgwFoAUv8TmMmdzj7xxsQqJGzyZdoMgYBswDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiB5TBF92wbovx88EMqJgC+s
        zK3+NPIHTf2lvnO9ghKUIgIgFexDMY2SJ+MjQ+W6hbKdn90NJF5QTPZm1qJm5uvd
        544=
        -----END CERTIFICATE-----
        """
}
