/// Why settings could not be read again, as one line for the log.
package struct SettingsReloadFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
}
