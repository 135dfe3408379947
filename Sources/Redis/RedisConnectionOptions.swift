/// How a connection is made, and how patient it is.
package struct RedisConnectionOptions: Sendable {
    /// Who the connection belongs to.
    package struct Credentials: Sendable {
        /// The name in Redis's access list; nil is the default user.
        package var username: String?
        package var password: String

        package init(username: String? = nil, password: String) {
            self.username = username
            self.password = password
        }
    }

    /// How long making the connection may take.
    package var connectTimeout: Duration
    /// The longest that Redis may be silent while an answer is awaited, or take nothing while something is sent.
    ///
    /// It is not a bound on the whole of a call: each byte that arrives begins the time anew. Nil waits for ever.
    package var silenceTimeout: Duration?
    package var credentials: Credentials?

    package init(
        connectTimeout: Duration = .seconds(5),
        silenceTimeout: Duration? = .seconds(5),
        credentials: Credentials? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.silenceTimeout = silenceTimeout
        self.credentials = credentials
    }
}
