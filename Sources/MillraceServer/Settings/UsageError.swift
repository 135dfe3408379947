/// A command line that cannot be understood.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    /// One line, without the usage.
    package let message: String
    /// What the process ends with.
    package let exitCode: Int32

    package init(_ message: String, exitCode: Int32 = 2) {
        self.message = message
        self.exitCode = exitCode
    }

    package var description: String { self.message }

    /// Faktory's words, and its exit code, for an environment that there is not.
    package static func invalidEnvironment(_ name: String) -> UsageError {
        let message = "Invalid environment \"\(name)\": legal values are development, staging or production"
        return UsageError(message, exitCode: 1)
    }
}
