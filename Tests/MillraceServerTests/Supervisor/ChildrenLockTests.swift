import Foundation
import Glibc
import TestSupport
import Testing

@testable import MillraceServer

@Suite("The lock of the children of a supervisor")
struct ChildrenLockTests {
    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    @Test("is had at once when nobody shares it, and by any number who do")
    func free() throws {
        let lock = ChildrenLock(directory: self.directory.path)
        try lock.waitUntilFree { Issue.record("it waited") }
        #expect(ChildrenLock.share(lock.path))
        #expect(ChildrenLock.share(lock.path))
    }

    @Test("is held by what a child has become, until that has ended")
    func inherited() async throws {
        let lock = ChildrenLock(directory: self.directory.path)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        child.arguments = ["--shared", "--no-fork", lock.path, "/bin/sleep", "1000"]
        try child.run()
        // What is started from a thread of the pool inherits that SIGTERM is blocked.
        defer { kill(child.processIdentifier, SIGKILL) }
        let probe = open(lock.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(probe) }
        while flock(probe, LOCK_EX | LOCK_NB) == 0 {
            flock(probe, LOCK_UN)
            try await Task.sleep(for: .milliseconds(5))
        }
        let failure = #expect(throws: ChildrenLock.Failure.self) {
            try lock.waitUntilFree(upTo: .milliseconds(30)) {}
        }
        #expect(failure?.processIDs == [child.processIdentifier])
        #expect(failure?.description.contains("end them, then start again") == true)
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        try lock.waitUntilFree { Issue.record("it waited for a process that has ended") }
    }

    @Test("keeps a program from being started while somebody has it alone")
    func alone() async throws {
        await #expect(processExitsWith: .exitCode(SupervisedExec.lockedCode)) {
            let path = "/tmp/millrace-children-lock-\(getpid())"
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            defer { unlink(path) }
            guard flock(descriptor, LOCK_EX) == 0 else { exit(1) }
            SupervisedExec(parent: getppid(), lock: path, executable: "/bin/true", arguments: []).run()
        }
    }
}
