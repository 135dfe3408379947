import Dispatch
import Front
import Logging
import NIOCore
import Synchronization
import Testing

@Suite("The verifier of passwords")
struct PasswordVerifierTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("looks at every password of an address that sends many at the same time")
    func many() async {
        var limits = PasswordTries.Limits()
        limits.pause = .milliseconds(1)
        limits.shortestDelay = .zero
        limits.longestDelay = .zero
        let verifier = PasswordVerifier(limits: limits, logger: Self.logger)
        let rightCount = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask { await verifier.admits(from: "a") { number.isMultiple(of: 5) } }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(rightCount == 20)
    }

    @Test("does not look at the password of a client that has gone before its turn")
    func gone() async {
        var limits = PasswordTries.Limits()
        limits.width = 1
        let verifier = PasswordVerifier(limits: limits, logger: Self.logger)
        // While the first is looked at, no other one is.
        let mayGoOn = DispatchSemaphore(value: 0)
        verifier.verify(
            from: "a",
            isRight: {
                mayGoOn.wait()
                return true
            },
            answer: { _ in }
        )
        let wasLookedAt = Mutex(false)
        let second = verifier.verify(
            from: "a",
            isRight: {
                wasLookedAt.withLock { $0 = true }
                return true
            },
            answer: { _ in }
        )
        verifier.giveUp(second)
        mayGoOn.signal()
        #expect(await verifier.admits(from: "a") { true })
        #expect(!wasLookedAt.withLock { $0 })
    }

    @Test(
        "counts an IPv4 address as itself, and an IPv6 address by its network",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "0:0:0:0::/64"),
        ]
    )
    func groups(address: String, group: String) throws {
        let address = try SocketAddress(ipAddress: address, port: 1)
        #expect(PasswordVerifier.group(of: address) == group)
    }
}
