import Front
import JobCore
import Testing

@Suite("Tries of passwords")
struct PasswordTriesTests {
    private let start = Uptime(nanoseconds: 0)

    private static func limits(_ change: (inout PasswordTries.Limits) -> Void = { _ in }) -> PasswordTries.Limits {
        var limits = PasswordTries.Limits()
        change(&limits)
        return limits
    }

    /// One try from begin to end; how long a wrong one waits for its answer.
    private func wrong(_ tries: inout PasswordTries, _ number: UInt64, from address: String, at now: Uptime)
        -> Duration?
    {
        tries.begin(number, from: address)
        guard tries.next(at: now) == .look(number),
            case .wrong(let delay, _) = tries.finish(from: address, isRight: false, at: now)
        else { return nil }
        return delay
    }

    @Test("the right password of an address that was wrong a thousand times is looked at, and lets in")
    func rightAfterWrong() {
        var tries = PasswordTries()
        var now = self.start
        for number in 1...1_000 {
            #expect(self.wrong(&tries, UInt64(number), from: "a", at: now) != nil)
            now = now + .milliseconds(10)
        }
        tries.begin(2_000, from: "a")
        #expect(tries.next(at: now) == .look(2_000))
        #expect(tries.finish(from: "a", isRight: true, at: now) == .right)
    }

    @Test("the wait of a wrong one grows from the shortest to the longest, and is forgiven in the end")
    func growth() {
        var tries = PasswordTries(
            limits: Self.limits {
                $0.attempts = 4; $0.recovery = .seconds(60)
            }
        )
        var now = self.start
        var delays: [Duration?] = []
        for number in 1...6 {
            delays.append(self.wrong(&tries, UInt64(number), from: "a", at: now))
            now = now + .milliseconds(10)
        }
        #expect(delays == [1_000, 1_250, 1_500, 1_750, 2_000, 2_000].map { Duration.milliseconds($0) })
        now = now + .seconds(60) * 6
        #expect(self.wrong(&tries, 7, from: "a", at: now) == .seconds(1))
    }

    @Test("answers that wait are bounded for each address and for all, and one more is given at once")
    func bound() {
        var tries = PasswordTries(
            limits: Self.limits {
                $0.delayedPerAddress = 2; $0.delayedCount = 3; $0.pause = .zero
            }
        )
        let delays = ["a", "a", "a", "b", "b"].enumerated().map { number, address in
            self.wrong(&tries, UInt64(number), from: address, at: self.start)
        }
        #expect(delays[0] == .seconds(1))
        #expect(delays[1] == .milliseconds(1_100))
        #expect(delays[2] == .zero)
        #expect(delays[3] == .seconds(1))
        #expect(delays[4] == .zero)
        #expect(self.wrong(&tries, 6, from: "b", at: self.start + .seconds(2)) != .zero)
    }

    @Test("addresses take turns, whoever of them has the most tries")
    func turns() {
        var tries = PasswordTries(limits: Self.limits { $0.width = 1 })
        for number in 1...100 { tries.begin(UInt64(number), from: "many") }
        tries.begin(500, from: "one")
        #expect(tries.next(at: self.start) == .look(1))
        #expect(tries.next(at: self.start) == .rest)
        #expect(tries.finish(from: "many", isRight: true, at: self.start) == .right)
        #expect(tries.next(at: self.start) == .look(500))
    }

    @Test("an address that was wrong lately has one looked at after the other, with a pause, and holds up nobody else")
    func pause() {
        var tries = PasswordTries(limits: Self.limits { $0.width = 4 })
        _ = self.wrong(&tries, 1, from: "a", at: self.start)
        tries.begin(2, from: "a")
        tries.begin(3, from: "a")
        #expect(tries.next(at: self.start) == .wait(until: self.start + .milliseconds(10)))
        tries.begin(4, from: "b")
        #expect(tries.next(at: self.start) == .look(4))
        #expect(tries.next(at: self.start + .milliseconds(10)) == .look(2))
        #expect(tries.next(at: self.start + .milliseconds(10)) == .rest)
        _ = tries.finish(from: "a", isRight: true, at: self.start + .milliseconds(11))
        #expect(tries.next(at: self.start + .milliseconds(11)) == .look(3))
    }

    @Test("without attempts a wrong one is answered at once")
    func noDelay() {
        var tries = PasswordTries(limits: Self.limits { $0.attempts = 0 })
        #expect(self.wrong(&tries, 1, from: "a", at: self.start) == .zero)
    }

    @Test("of the wrong ones of an address the first is told, and then one a minute with how many there were")
    func lines() {
        var tries = PasswordTries()
        var told: [Int?] = []
        for second in [0, 1, 2, 59, 60, 61] {
            let now = self.start + .seconds(second)
            tries.begin(UInt64(second), from: "a")
            guard case .look = tries.next(at: now),
                case .wrong(_, let count) = tries.finish(from: "a", isRight: false, at: now)
            else { continue }
            told.append(count)
        }
        #expect(told == [1, nil, nil, nil, 4, nil])
    }

    @Test("a million addresses are remembered up to the bound")
    func addresses() {
        var tries = PasswordTries(limits: Self.limits { $0.addressCount = 2 })
        for number in 1...10 {
            let delay = self.wrong(&tries, UInt64(number), from: "\(number)", at: self.start)
            #expect(delay == .seconds(1))
        }
    }
}
