/// One run of a Redis server, from its start to its end.
package struct RedisRun: Hashable, Sendable, CustomStringConvertible {
    /// What the server calls it; no other run has the same name.
    package let name: String

    package init(_ name: String) {
        self.name = name
    }

    package var description: String { self.name }
}
