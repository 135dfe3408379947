import ClusterLink
import JobCore
import Scheduler
import Testing

@Suite("The schedule of ticks")
struct TickScheduleTests {
    private static let intervals: [SchedulerTask: Duration] = [
        .enqueueScheduled: .milliseconds(250), .reap: .seconds(5), .purge: .seconds(60),
    ]

    private static func at(_ time: Duration) -> Uptime {
        Uptime(nanoseconds: 0) + time
    }

    private static func tasks(_ ticks: [TickSchedule.Tick]) -> [SchedulerTask] {
        ticks.map(\.task)
    }

    @Test("begins with every task that has an interval, in the order of the tasks, each tick with its own number")
    func start() {
        var schedule = TickSchedule(intervals: Self.intervals, at: Self.at(.seconds(7)))
        let ticks = schedule.ticks(at: Self.at(.seconds(7)))
        #expect(Self.tasks(ticks) == [.enqueueScheduled, .reap, .purge])
        #expect(ticks.map(\.number) == [1, 2, 3])
    }

    @Test("knows nothing to do before its beginning")
    func before() {
        var schedule = TickSchedule(intervals: Self.intervals, at: Self.at(.seconds(7)))
        #expect(schedule.ticks(at: Self.at(.milliseconds(6_999))).isEmpty)
    }

    @Test(
        "makes a task that was answered due an interval after it was last sent, and not a moment earlier",
        arguments: [
            (Duration.milliseconds(249), [SchedulerTask]()),
            (.milliseconds(250), [.enqueueScheduled]),
            (.milliseconds(4_999), [.enqueueScheduled]),
            (.seconds(5), [.enqueueScheduled, .reap]),
            (.seconds(60), [.enqueueScheduled, .reap, .purge]),
        ]
    )
    func due(after wait: Duration, expected: [SchedulerTask]) {
        var schedule = TickSchedule(intervals: Self.intervals, at: Self.at(.zero))
        for tick in schedule.ticks(at: Self.at(.zero)) { schedule.finish(tick.task, number: tick.number) }
        #expect(Self.tasks(schedule.ticks(at: Self.at(wait))) == expected)
    }

    @Test("does not run late ticks after each other: one makes up for all that were missed")
    func noBacklog() {
        var schedule = TickSchedule(intervals: [.reap: .seconds(5)], at: Self.at(.zero))
        for tick in schedule.ticks(at: Self.at(.zero)) { schedule.finish(tick.task, number: tick.number) }
        let late = schedule.ticks(at: Self.at(.seconds(1_000)))
        #expect(late.count == 1)
        for tick in late { schedule.finish(tick.task, number: tick.number) }
        #expect(schedule.ticks(at: Self.at(.milliseconds(1_004_999))).isEmpty)
        #expect(schedule.ticks(at: Self.at(.seconds(1_005))).count == 1)
    }

    @Test(
        "sends a task that is under way again only when its tick counts as lost",
        arguments: [(Duration.milliseconds(999), 0), (.seconds(1), 1)]
    )
    func lost(after wait: Duration, tickCount: Int) {
        var schedule = TickSchedule(intervals: [.retry: .milliseconds(250)], at: Self.at(.zero))
        #expect(schedule.ticks(at: Self.at(.zero)).map(\.number) == [1])
        #expect(TickSchedule.patience == .seconds(1))
        #expect(schedule.ticks(at: Self.at(wait)).count == tickCount)
    }

    @Test("one task that is under way holds up no other")
    func independent() {
        var schedule = TickSchedule(intervals: Self.intervals, at: Self.at(.zero))
        for tick in schedule.ticks(at: Self.at(.zero)) where tick.task != .purge {
            schedule.finish(tick.task, number: tick.number)
        }
        #expect(Self.tasks(schedule.ticks(at: Self.at(.seconds(5)))) == [.enqueueScheduled, .reap])
    }

    @Test("an answer to a tick that was given up says nothing of the one that took its place")
    func oldAnswer() {
        var schedule = TickSchedule(intervals: [.retry: .milliseconds(250)], at: Self.at(.zero))
        #expect(schedule.ticks(at: Self.at(.zero)).map(\.number) == [1])
        #expect(schedule.ticks(at: Self.at(.seconds(1))).map(\.number) == [2])
        schedule.finish(.retry, number: 1)
        #expect(schedule.ticks(at: Self.at(.milliseconds(1_500))).isEmpty)
        schedule.finish(.retry, number: 2)
        #expect(schedule.ticks(at: Self.at(.milliseconds(1_500))).map(\.number) == [3])
    }

    @Test("an answer for a task that it does not have changes nothing")
    func strangeAnswer() {
        var schedule = TickSchedule(intervals: [.retry: .milliseconds(250)], at: Self.at(.zero))
        schedule.finish(.reap, number: 1)
        #expect(Self.tasks(schedule.ticks(at: Self.at(.zero))) == [.retry])
    }

    @Test("without tasks there is nothing to do")
    func empty() {
        var schedule = TickSchedule(intervals: [:], at: Self.at(.zero))
        #expect(schedule.ticks(at: Self.at(.seconds(100))).isEmpty)
    }
}
