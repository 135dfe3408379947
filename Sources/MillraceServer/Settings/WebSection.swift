/// What a front does with browsers, and with whatever else speaks HTTP.
package struct WebSection: Sendable, Equatable {
    /// The address that turns the web server off: exactly `:0`.
    static let disabled = HostPort(host: "", port: 0)

    /// The address to listen on.
    package var bind = HostPort(host: "127.0.0.1", port: 7420)
    /// The password of the pages; the clients' password when none was set.
    package var password: Secret?

    package init() {}

    /// Whether there is a web server at all.
    package var isEnabled: Bool { self.bind != Self.disabled }

    /// What is wrong with the values of this group: nothing that its types do not already rule out.
    package func problems() -> [SettingProblem] { [] }
}
