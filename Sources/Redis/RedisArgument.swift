/// What can stand as an argument in a command that is written out by hand.
///
/// It is for commands that are rare; a `RedisCommandBuffer` is filled without it.
package protocol RedisArgument {
    /// Appends itself as one argument.
    func append(to commands: inout RedisCommandBuffer)
}

extension String: RedisArgument {
    package func append(to commands: inout RedisCommandBuffer) { commands.append(self) }
}

extension Int: RedisArgument {
    package func append(to commands: inout RedisCommandBuffer) { commands.append(self) }
}

extension [UInt8]: RedisArgument {
    package func append(to commands: inout RedisCommandBuffer) { commands.append(self) }
}

extension ArraySlice<UInt8>: RedisArgument {
    package func append(to commands: inout RedisCommandBuffer) { commands.append(self) }
}
