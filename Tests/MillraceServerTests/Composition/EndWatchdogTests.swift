import Glibc
import Logging
import Testing

@testable import MillraceServer

@Suite("The bound of an end")
struct EndWatchdogTests {
    @Test("a process whose end hangs is ended with a failure")
    func hanging() async {
        await #expect(processExitsWith: .exitCode(1)) {
            EndWatchdog.arm(bound: .milliseconds(10), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            while true { pause() }
        }
    }

    @Test("an end takes longer than the drain of a front, and less than a supervisor waits")
    func bounds() {
        #expect(EndWatchdog.bound > .seconds(10))
        let child = ChildProcess(name: "a", executable: "/a", environment: [:])
        #expect(EndWatchdog.bound < child.stopTimeout)
    }
}
