public import Foundation

extension ClientConfiguration {
    /// Reads a URL such as `tcp://:password@faktory.example.com:7419` or `tcp+tls://faktory.example.com`.
    ///
    /// Characters of the password that have a meaning in URLs are percent-encoded. The port is 7419 when there is
    /// none; everything else has its default.
    ///
    /// - Throws: ``FaktoryError/Code/invalidConfiguration``, with a message that does not repeat the password.
    public init(url: String) throws(FaktoryError) {
        guard let components = URLComponents(string: url), let scheme = components.scheme?.lowercased() else {
            throw FaktoryError(.invalidConfiguration, "a Faktory URL looks like tcp://:password@host:7419")
        }
        guard scheme == "tcp" || scheme == "tcp+tls" else {
            throw FaktoryError(.invalidConfiguration, "\(scheme): is neither tcp: nor tcp+tls:")
        }
        guard let host = components.host, !host.isEmpty else {
            throw FaktoryError(.invalidConfiguration, "the Faktory URL names no host")
        }
        guard components.path.isEmpty || components.path == "/", components.query == nil, components.fragment == nil
        else {
            throw FaktoryError(.invalidConfiguration, "a Faktory URL has nothing after its port")
        }
        let port = components.port ?? Self.defaultPort
        guard (1...65_535).contains(port) else {
            throw FaktoryError(.invalidConfiguration, "\(port) is no port")
        }
        self.init(host: host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port: port)
        self.password = components.password.flatMap { $0.isEmpty ? nil : $0 }
        self.username = components.user.flatMap { $0.isEmpty ? nil : $0 }
        self.tls = scheme == "tcp+tls" ? TLSOptions() : nil
    }

    /// Finds the server as all Faktory clients do.
    ///
    /// `FAKTORY_PROVIDER` holds the *name* of the variable with the URL; without it the URL is in `FAKTORY_URL`;
    /// without that the server is on this host, at the usual port.
    ///
    /// - Parameter environment: the variables, those of the process unless given.
    /// - Throws: ``FaktoryError/Code/invalidConfiguration`` when a variable that is named is not there, or holds no URL.
    public static func fromEnvironment(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(FaktoryError) -> ClientConfiguration {
        if let provider = environment["FAKTORY_PROVIDER"], !provider.isEmpty {
            guard !provider.contains(":") else {
                throw FaktoryError(.invalidConfiguration, "FAKTORY_PROVIDER holds a URL, not the name of a variable")
            }
            guard let url = environment[provider], !url.isEmpty else {
                throw FaktoryError(.invalidConfiguration, "FAKTORY_PROVIDER names \(provider), which is not set")
            }
            return try ClientConfiguration(url: url)
        }
        guard let url = environment["FAKTORY_URL"], !url.isEmpty else { return ClientConfiguration() }
        return try ClientConfiguration(url: url)
    }
}
