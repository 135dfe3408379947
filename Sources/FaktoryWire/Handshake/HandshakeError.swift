/// Why a greeting cannot be answered.
package enum HandshakeError: Error, Equatable {
    /// The first line is not `HI` followed by the JSON object of a greeting.
    case malformedGreeting
    /// The server speaks a version of the protocol that this client does not.
    case unsupportedVersion(Int)
    /// The server asks for no rounds of hashing, or for more than ``PasswordChallenge/maximumIterations``.
    case unreasonableIterations(Int)
}
