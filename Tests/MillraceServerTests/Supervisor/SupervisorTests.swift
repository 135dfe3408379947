import Foundation
import Glibc
import ServiceLifecycle
import Testing

@testable import MillraceServer

@Suite("Supervisor", .timeLimit(.minutes(1)))
struct SupervisorTests {
    /// A supervisor whose events can be waited for.
    private struct Watched {
        let supervisor: Supervisor
        let events: AsyncStream<SupervisorEvent>
        private let continuation: AsyncStream<SupervisorEvent>.Continuation

        init(_ children: [ChildProcess], launcher: String? = nil) {
            let (events, continuation) = AsyncStream.makeStream(of: SupervisorEvent.self)
            self.events = events
            self.continuation = continuation
            self.supervisor = Supervisor(children: children, launcher: launcher) { continuation.yield($0) }
        }

        /// Ends the events after those that there are.
        func finish() { self.continuation.finish() }

        /// Runs the supervisor while a body looks at its events and stops it; gives the events that the body left.
        func run(_ body: (inout AsyncStream<SupervisorEvent>.Iterator) async throws -> Void) async throws {
            async let running: Void = self.supervisor.run()
            var iterator = self.events.makeAsyncIterator()
            do {
                try await body(&iterator)
            } catch {
                self.supervisor.stop()
                await running
                throw error
            }
            await running
        }
    }

    private static func shell(_ name: String, _ script: String, stopTimeout: Duration = .seconds(10)) -> ChildProcess {
        ChildProcess(
            name: name,
            executable: "/bin/sh",
            arguments: ["-c", script],
            environment: ["PATH": "/usr/bin:/bin"],
            stopTimeout: stopTimeout
        )
    }

    private static func sleeper(_ name: String) -> ChildProcess {
        ChildProcess(name: name, executable: "/bin/sleep", arguments: ["1000"], environment: [:])
    }

    private static func startedID(
        _ name: String,
        in events: inout AsyncStream<SupervisorEvent>.Iterator
    ) async throws -> Int32 {
        let event = await events.next(isolation: #isolation)
        guard case .started(name, let processID) = event else {
            throw UsageError("\(name) did not start: \(String(describing: event))")
        }
        return processID
    }

    /// A pipe whose first line says that a child has come so far.
    private struct Signal {
        let path: String

        init() throws {
            let template = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID().uuidString)").path
            self.path = template
            try #require(mkfifo(template, 0o600) == 0)
        }

        /// Reads one line, or less if there is an end before; opened for writing too, the pipe has no end.
        func line(openedFor mode: Int32 = O_RDWR) async -> String {
            let path = self.path
            return await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    let file = open(path, mode)
                    var byte: UInt8 = 0
                    var text: [UInt8] = []
                    while read(file, &byte, 1) == 1, byte != UInt8(ascii: "\n") { text.append(byte) }
                    close(file)
                    unlink(path)
                    continuation.resume(returning: String(decoding: text, as: UTF8.self))
                }
            }
        }
    }

    @Test("children start in their order and stop one after the other in the reverse of it")
    func order() async throws {
        let watched = Watched(["a", "b", "c"].map(Self.sleeper))
        try await watched.run { events in
            for name in ["a", "b", "c"] { _ = try await Self.startedID(name, in: &events) }
            watched.supervisor.stop()
            for name in ["c", "b", "a"] {
                #expect(await events.next(isolation: #isolation) == .stopping(name))
                #expect(await events.next(isolation: #isolation) == .exited(name, .signal(SIGTERM)))
            }
        }
    }

    @Test("a child that dies is started again, as another process, after a growing wait")
    func restarts() async throws {
        let watched = Watched([Self.shell("a", "exit 3")])
        try await watched.run { events in
            var ids: Set<Int32> = []
            for wait in [100, 200] {
                ids.insert(try await Self.startedID("a", in: &events))
                #expect(await events.next(isolation: #isolation) == .exited("a", .code(3)))
                #expect(await events.next(isolation: #isolation) == .restarting("a", in: .milliseconds(wait)))
            }
            ids.insert(try await Self.startedID("a", in: &events))
            #expect(ids.count == 3)
            watched.supervisor.stop()
        }
    }

    @Test("the death of one child leaves the others alone")
    func independence() async throws {
        let watched = Watched([Self.sleeper("a"), Self.sleeper("b")])
        try await watched.run { events in
            let first = try await Self.startedID("a", in: &events)
            let second = try await Self.startedID("b", in: &events)
            #expect(kill(first, SIGKILL) == 0)
            #expect(await events.next(isolation: #isolation) == .exited("a", .signal(SIGKILL)))
            #expect(await events.next(isolation: #isolation) == .restarting("a", in: .milliseconds(100)))
            _ = try await Self.startedID("a", in: &events)
            #expect(kill(second, 0) == 0)
            watched.supervisor.stop()
        }
    }

    @Test("a program that there is not is reported and tried again, and a stop does not wait for it")
    func missingProgram() async throws {
        let missing = ChildProcess(name: "a", executable: "/nonexistent/program", environment: [:])
        let watched = Watched([missing])
        try await watched.run { events in
            let reason = "No such file or directory"
            #expect(await events.next(isolation: #isolation) == .failedToStart("a", reason: reason))
            #expect(await events.next(isolation: #isolation) == .restarting("a", in: .milliseconds(100)))
            #expect(await events.next(isolation: #isolation) == .failedToStart("a", reason: reason))
            watched.supervisor.stop()
        }
    }

    @Test("a child that ignores SIGTERM is killed after its time, with its group")
    func kills() async throws {
        let ready = try Signal()
        let script = "trap '' TERM; sleep 1000 & echo $! > \(ready.path); wait; wait"
        let watched = Watched([Self.shell("a", script, stopTimeout: .milliseconds(50))])
        try await watched.run { events in
            let processID = try await Self.startedID("a", in: &events)
            #expect(Int32(await ready.line()) != nil)
            watched.supervisor.stop()
            #expect(await events.next(isolation: #isolation) == .stopping("a"))
            #expect(await events.next(isolation: #isolation) == .killed("a"))
            #expect(await events.next(isolation: #isolation) == .exited("a", .signal(SIGKILL)))
            #expect(kill(processID, 0) == -1)
        }
    }

    @Test("what a child leaves behind in its group ends with it")
    func leavesNothing() async throws {
        let ready = try Signal()
        let held = try Signal()
        let script = "exec 3>\(held.path); sleep 1000 & echo ready > \(ready.path); wait"
        let watched = Watched([Self.shell("a", script)])
        try await watched.run { events in
            async let closed = held.line(openedFor: O_RDONLY)
            _ = try await Self.startedID("a", in: &events)
            #expect(await ready.line() == "ready")
            watched.supervisor.stop()
            // The pipe ends when nobody holds its other end any more.
            #expect(await closed == "")
        }
    }

    @Test("a second stop changes nothing and the third shortens the wait")
    func impatience() async throws {
        let ready = try Signal()
        let script =
            "trap 'echo asked > \(ready.path)' TERM; echo ready > \(ready.path); while :; do sleep 1000 & wait; done"
        let watched = Watched([Self.shell("a", script, stopTimeout: .seconds(600))])
        try await watched.run { events in
            _ = try await Self.startedID("a", in: &events)
            #expect(await ready.line() == "ready")
            await watched.supervisor.receive(SIGINT)
            await watched.supervisor.receive(SIGTERM)
            #expect(await events.next(isolation: #isolation) == .stopping("a"))
            for _ in 0..<3 { await watched.supervisor.receive(SIGINT) }
            #expect(await events.next(isolation: #isolation) == .killed("a"))
            #expect(await events.next(isolation: #isolation) == .exited("a", .signal(SIGKILL)))
        }
    }

    @Test("SIGHUP is passed on and the children live")
    func hangup() async throws {
        let ready = try Signal()
        let heard = try Signal()
        let script =
            "trap 'echo heard > \(heard.path)' HUP; echo ready > \(ready.path); while :; do sleep 1000 & wait; done"
        let watched = Watched([Self.shell("a", script)])
        try await watched.run { events in
            let processID = try await Self.startedID("a", in: &events)
            #expect(await ready.line() == "ready")
            await watched.supervisor.receive(SIGHUP)
            #expect(await heard.line() == "heard")
            #expect(kill(processID, 0) == 0)
            watched.supervisor.stop()
        }
    }

    @Test("a child leads a process group of its own")
    func processGroup() async throws {
        let watched = Watched([Self.sleeper("a")])
        try await watched.run { events in
            let processID = try await Self.startedID("a", in: &events)
            #expect(getpgid(processID) == processID)
            #expect(getpgid(processID) != getpgrp())
            watched.supervisor.stop()
        }
    }

    @Test("a child inherits neither ignored signals nor descriptors beyond the first three")
    func cleanStart() async throws {
        signal(SIGPIPE, SIG_IGN)
        let leak = dup2(STDERR_FILENO, 200)
        defer { close(leak) }
        let result = try Signal()
        let script =
            "echo $(ls /proc/self/fd | wc -w) $(grep SigIgn /proc/self/status) > \(result.path); exec sleep 1000"
        let watched = Watched([Self.shell("a", script)])
        try await watched.run { events in
            _ = try await Self.startedID("a", in: &events)
            // Three of its own and the one with which ls reads the directory.
            let words = await result.line().split(separator: " ")
            #expect(words.first == "4")
            // The C library itself ignores two signals of its own, 32 and 33.
            let ignored = try #require(words.last.flatMap { UInt64($0, radix: 16) })
            #expect(ignored & 0x7FFF_FFFF == 0)
            watched.supervisor.stop()
        }
    }

    @Test("cancelling the run stops the children in order")
    func cancellation() async throws {
        let watched = Watched([Self.sleeper("a")])
        let running = Task { await watched.supervisor.run() }
        var events = watched.events.makeAsyncIterator()
        _ = try await Self.startedID("a", in: &events)
        running.cancel()
        #expect(await events.next() == .stopping("a"))
        #expect(await events.next() == .exited("a", .signal(SIGTERM)))
        await running.value
    }

    @Test("a stop before the start starts nothing")
    func stoppedBefore() async throws {
        let watched = Watched([Self.sleeper("a")])
        watched.supervisor.stop()
        await watched.supervisor.run()
        await watched.supervisor.receive(SIGHUP)
        var iterator = watched.events.makeAsyncIterator()
        watched.finish()
        #expect(await iterator.next() == nil)
    }

    @Test("a launcher is given the parent, the program and its arguments")
    func launcher() {
        let child = ChildProcess(name: "a", executable: "/x", arguments: ["-h", "a b"], environment: ["A": "1"])
        let launched = child.started(through: "/us", parent: 7)
        #expect(launched.executable == "/us")
        #expect(launched.arguments == ["supervised-exec", "7", "/x", "-h", "a b"])
        #expect(launched.environment == ["A": "1"])
    }
}
