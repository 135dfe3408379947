/// How many connections a web server has, and how long each of them may take for what.
package struct WebLimits: Sendable {
    /// How many connections there may be.
    package static let connectionRange = 8...100_000

    /// Connections at the same time; one more takes the place of the one that has been silent for longest.
    package var connectionCount = 256
    /// For the handshake of TLS.
    package var handshakeTimeout: Duration = .seconds(10)
    /// From accept, or the end of the handshake, to the end of the first request's head.
    package var headTimeout: Duration = .seconds(10)
    /// From the end of a request's head to the end of its body.
    package var bodyTimeout: Duration = .seconds(30)
    /// From the end of a request until its answer has left.
    package var answerTimeout: Duration = .seconds(30)
    /// From an answer to the end of the next request's head.
    package var idleTimeout: Duration = .seconds(60)
    /// The longest body of a request.
    package var bodyByteCount = 64 * 1024
    /// The longest head of a request, and half of it for one field.
    package var headByteCount = 32 * 1024
    /// The most fields that a head may have.
    package var fieldCount = 100

    package init() {}
}
