/// Settings that cannot be used: every mistake that was found, one line each, with its place.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// At least one, for example `/etc/faktory/millrace.toml:12: front.bind: expected an address …`.
    package let messages: [String]

    package init(messages: [String]) {
        precondition(!messages.isEmpty, "an error without a message")
        self.messages = messages
    }

    package var description: String { self.messages.joined(separator: "\n") }
}
