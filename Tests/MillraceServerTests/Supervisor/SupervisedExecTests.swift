import CLinux
import Glibc
import Testing

@testable import MillraceServer

@Suite("Supervised exec")
struct SupervisedExecTests {
    @Test("it becomes the program with its arguments")
    func becomesTheProgram() async {
        await #expect(processExitsWith: .exitCode(42)) {
            SupervisedExec(parent: getppid(), executable: "sh", arguments: ["-c", "exit $1", "sh", "42"]).run()
        }
    }

    @Test("it asks for SIGTERM at the death of its parent")
    func asksForTheSignal() async {
        await #expect(processExitsWith: .success) {
            let command = SupervisedExec(parent: getppid(), executable: "/bin/true", arguments: [])
            guard clinux_parent_death_signal() == 0, command.watchParent() else { exit(1) }
            exit(clinux_parent_death_signal() == SIGTERM ? 0 : 2)
        }
    }

    @Test("it ends at once when the parent is another than it was told")
    func orphan() async {
        await #expect(processExitsWith: .exitCode(SupervisedExec.orphanCode)) {
            SupervisedExec(parent: getpid(), executable: "/bin/true", arguments: []).run()
        }
    }

    @Test("a program that there is not ends it as a shell would")
    func missingProgram() async {
        await #expect(processExitsWith: .exitCode(SupervisedExec.notFoundCode)) {
            SupervisedExec(parent: getppid(), executable: "/nonexistent", arguments: []).run()
        }
    }
}
