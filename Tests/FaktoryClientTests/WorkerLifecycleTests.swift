@testable import FaktoryClient
import Testing

@Suite("Worker lifecycle", .timeLimit(.minutes(10)))
struct WorkerLifecycleTests {
    private static let job = """
        {"jid":"job-1","jobtype":"T","args":[]}
        """

    @Test("the phase goes forward only, over every pair of phases")
    func forward() {
        for first in WorkerPhase.allCases {
            for second in WorkerPhase.allCases {
                let lifecycle = WorkerLifecycle()
                lifecycle.advance(to: first)
                lifecycle.advance(to: second)
                #expect(lifecycle.phase == max(first, second), "\(first), then \(second)")
            }
        }
    }

    @Test("whoever waits for a phase is woken by it or by a later one, also when it is past")
    func waiting() async {
        let lifecycle = WorkerLifecycle()
        await lifecycle.wait(for: .running)
        async let quiet: Void = lifecycle.wait(for: .quiet)
        async let terminating: Void = lifecycle.wait(for: .terminating)
        lifecycle.advance(to: .terminating)
        await quiet
        await terminating
        await lifecycle.wait(for: .quiet)
        #expect(lifecycle.phase == .terminating)
    }

    @Test("whoever waits and is cancelled waits no longer")
    func cancelled() async {
        let lifecycle = WorkerLifecycle()
        let waiter = Task { await lifecycle.wait(for: .quiet) }
        waiter.cancel()
        await waiter.value
        #expect(lifecycle.phase == .running)
    }

    @Test("a pause ends when the worker is to take no more jobs")
    func pause() async {
        let lifecycle = WorkerLifecycle()
        let pause = Task { await lifecycle.pause(for: .seconds(3600)) }
        lifecycle.advance(to: .quiet)
        await pause.value
        #expect(lifecycle.phase == .quiet)
    }

    @Test("a job is reported by whoever takes it off the list, and by nobody else")
    func reportedOnce() throws {
        let lifecycle = WorkerLifecycle()
        let job = try FetchedJob(payload: Array(Self.job.utf8))
        let first = lifecycle.begin(job)
        let second = lifecycle.begin(job)
        #expect(lifecycle.finish(first))
        #expect(!lifecycle.finish(first))
        #expect(!lifecycle.isGivingUp)
        #expect(lifecycle.giveUp() == [job])
        #expect(lifecycle.isGivingUp)
        #expect(!lifecycle.finish(second))
        #expect(lifecycle.giveUp().isEmpty)
    }
}
