import WebUI

/// What a front does with browsers, and with whatever else speaks HTTP.
package struct WebSection: Sendable, Equatable {
    /// The address that turns the web server off: exactly `:0`.
    static let disabled = HostPort(host: "", port: 0)

    /// The address to listen on.
    package var bind = HostPort(host: "127.0.0.1", port: 7420)
    /// The password of the pages; the clients' password when none was set.
    package var password: Secret?
    /// How many connections are open at once; one more takes the place of the one that has asked nothing for longest.
    package var maximumConnections = WebLimits().connectionCount

    package init() {}

    /// Whether there is a web server at all.
    package var isEnabled: Bool { self.bind != Self.disabled }
}

extension WebSection {
    static let group = SettingGroup(
        "web",
        "The web pages, /health, /stats and metrics.",
        [
            Setting(
                "web.bind",
                \.web.bind,
                .address,
                readBy: [.front],
                aliases: ["web.binding"],
                """
                The address to listen on; an empty host, as in ":7420", is every interface, and exactly ":0" turns the web \
                server off. Faktory's key binding means the same.
                """
            ),
            Setting(
                "web.password",
                optional: \.web.password,
                .secret,
                readBy: [.front],
                isReloaded: true,
                example: #""/etc/faktory/web-password""#,
                "A password, or the path of a file, for the pages alone; without it they have the one of the clients."
            ),
            Setting(
                "web.max_connections",
                \.web.maximumConnections,
                .integer(WebLimits.connectionRange),
                readBy: [.front],
                "Connections at once. One more takes the place of the one that has asked nothing for longest."
            ),
        ]
    )
}
