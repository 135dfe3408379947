import Redis
import Testing

@Suite("A command buffer")
struct RedisCommandBufferTests {
    private func text(_ commands: borrowing RedisCommandBuffer) -> String {
        commands.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test("writes commands as arrays of bulk strings, one behind the other")
    func encoding() {
        var commands = RedisCommandBuffer(reserving: 0)
        commands.begin("HSET", argumentCount: 3)
        commands.append("key")
        commands.append([UInt8]("f".utf8))
        commands.append([0, 1, 2, 65, 66][3...])
        commands.begin("PING", argumentCount: 0)
        #expect(
            self.text(commands)
                == "*4\r\n$4\r\nHSET\r\n$3\r\nkey\r\n$1\r\nf\r\n$2\r\nAB\r\n*1\r\n$4\r\nPING\r\n"
        )
        #expect(commands.commandCount == 2)
        #expect(commands.isComplete == true)
    }

    @Test(
        "writes numbers in decimal digits",
        arguments: [
            (0, "0"), (9, "9"), (10, "10"), (-1, "-1"), (-10, "-10"), (1_000_000, "1000000"),
            (.max, "9223372036854775807"), (.min, "-9223372036854775808"),
        ]
    )
    func numbers(number: Int, digits: String) {
        var commands = RedisCommandBuffer()
        commands.begin("X", argumentCount: 1)
        commands.append(number)
        #expect(self.text(commands) == "*2\r\n$1\r\nX\r\n$\(digits.utf8.count)\r\n\(digits)\r\n")
    }

    @Test("lets an argument be put together in place, and writes empty ones")
    func inPlace() {
        var commands = RedisCommandBuffer()
        commands.begin("GET", argumentCount: 2)
        commands.append(byteCount: 4) { $0.copyBytes(from: "mr:q".utf8) }
        commands.append("")
        #expect(self.text(commands) == "*3\r\n$3\r\nGET\r\n$4\r\nmr:q\r\n$0\r\n\r\n")
    }

    @Test("grows without losing what it holds, and forgets on demand")
    func growth() {
        var commands = RedisCommandBuffer(reserving: 1)
        var expected = ""
        for number in 0..<2_000 {
            commands.begin("SET", argumentCount: 1)
            commands.append(number)
            expected += "*2\r\n$3\r\nSET\r\n$\(String(number).count)\r\n\(number)\r\n"
        }
        #expect(self.text(commands) == expected)
        commands.removeAll()
        #expect(commands.isEmpty == true)
        #expect(commands.byteCount == 0)
    }

    @Test("stops the process for an argument too many")
    func tooMany() async {
        await #expect(processExitsWith: .failure) {
            var commands = RedisCommandBuffer()
            commands.begin("PING", argumentCount: 0)
            commands.append("surplus")
        }
    }

    @Test("stops the process for an argument too few")
    func tooFew() async {
        await #expect(processExitsWith: .failure) {
            var commands = RedisCommandBuffer()
            commands.begin("GET", argumentCount: 1)
            commands.begin("PING", argumentCount: 0)
        }
    }
}
