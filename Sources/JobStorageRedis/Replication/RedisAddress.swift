/// Where a Redis can be reached by others, as it announces itself.
package struct RedisAddress: Hashable, Sendable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
