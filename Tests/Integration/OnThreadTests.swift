import Foundation
import Testing

struct OnThreadTests {
    /// The name that the kernel knows the calling thread by.
    private static func threadName() throws -> String {
        try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
    }

    @Test(
        "a body runs on a thread of its own from its first line on, also when it has waited, and what it starts does not"
    )
    func ownThread() async throws {
        #expect(try await onThread { try Self.threadName() } == "integration")
        let names = try await onThread {
            let first = try Self.threadName()
            async let child = Self.threadName()
            return [first, try await child, try Self.threadName()]
        }
        #expect(names[0] == "integration" && names[1] != "integration" && names[2] == "integration", "\(names)")
    }
}
