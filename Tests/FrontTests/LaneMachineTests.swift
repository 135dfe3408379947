import ClusterLink
import Front
import JobCore
import Testing

@Suite("A lane's rules")
struct LaneMachineTests {
    // MARK: Batches

    @Test("everything of one tick leaves as one batch, and what comes meanwhile as the next")
    func batching() {
        var lane = LaneScript()
        lane.push("a")
        lane.push("b", for: 2)
        #expect(lane.flush() == ["1/0: push(a)#1 push(b)#2"])
        lane.push("c")
        #expect(lane.flush() == [])
        #expect(lane.reply(1, .ok, .error("ERR no")) == ["2/0: push(c)#3", "to 1: #1 ok", "to 2: #2 error ERR no"])
        #expect(lane.reply(2, .ok) == ["to 1: #3 ok"])
        #expect(lane.machine.isQuiet)
    }

    @Test("nothing leaves before a leader has attached the session")
    func unattached() {
        var lane = LaneScript(isAttached: false)
        lane.push()
        #expect(!lane.machine.wantsFlush)
        #expect(lane.flush() == [])
        #expect(lane.attach() == ["1/0: push(j)#1"])
    }

    @Test("a batch ends at its bound of commands", arguments: [(2, 1), (3, 2)])
    func commandBound(pushes: Int, batches: Int) {
        var limits = LaneLimits()
        limits.batchCommandCount = 2
        var lane = LaneScript(limits: limits)
        for _ in 0..<pushes { lane.push() }
        #expect(lane.flush() == ["1/0: push(j)#1 push(j)#2"])
        #expect(lane.reply(1, .ok, .ok).count == 2 + batches - 1)
    }

    @Test("a batch ends with the command that reaches its bound of bytes")
    func byteBound() {
        var limits = LaneLimits()
        limits.batchByteCount = 28
        var lane = LaneScript(limits: limits)
        lane.push("a")
        lane.push("b")
        lane.push("c")
        #expect(lane.flush() == ["1/0: push(a)#1 push(b)#2"])
        #expect(lane.reply(1, .ok, .ok).first == "2/0: push(c)#3")
    }

    // MARK: Lost and repeated messages

    @Test("a batch without a reply is sent again under its number, after the interval and not before")
    func resend() {
        var lane = LaneScript()
        lane.push()
        #expect(lane.flush() == ["1/0: push(j)#1"])
        lane.pass(.milliseconds(999))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["1/0: push(j)#1"])
        lane.pass(.milliseconds(999))
        #expect(lane.tick() == [])
        #expect(lane.reply(1, .ok) == ["to 1: #1 ok"])
    }

    @Test(
        "a leader that stalls for ten minutes finds ten copies of a batch, and one that attaches again gets it at once"
    )
    func fewCopies() {
        var limits = LaneLimits()
        limits.holdTimeout = .seconds(3_600)
        var lane = LaneScript(limits: limits)
        lane.push()
        _ = lane.flush()
        var copyCount = 1
        for _ in 0..<6_000 {
            lane.pass(.milliseconds(100))
            copyCount += lane.tick().count
        }
        #expect(copyCount == 10)
        #expect(lane.attach() == ["1/0: push(j)#1"])
        lane.pass(.seconds(1))
        #expect(lane.tick() == ["1/0: push(j)#1"])
        lane.pass(.milliseconds(1_999))
        #expect(lane.tick() == [])
    }

    @Test("no wait for another copy of a batch is longer than the longest")
    func longestWait() {
        var limits = LaneLimits()
        limits.holdTimeout = .seconds(3_600)
        limits.longestResendInterval = .seconds(3)
        var lane = LaneScript(limits: limits)
        lane.push()
        _ = lane.flush()
        for wait in [1, 2, 3, 3, 3] {
            lane.pass(.seconds(wait) - .milliseconds(1))
            #expect(lane.tick() == [], "\(wait)")
            lane.pass(.milliseconds(1))
            #expect(lane.tick() == ["1/0: push(j)#1"], "\(wait)")
        }
    }

    @Test("a leader that is heard of after a silence gets the batch at once, whatever the next wait would have been")
    func resendAfterSilence() {
        var limits = LaneLimits()
        limits.holdTimeout = .seconds(3_600)
        var lane = LaneScript(limits: limits)
        lane.push()
        #expect(lane.flush() == ["1/0: push(j)#1"])
        for _ in 0..<350 {
            lane.pass(.milliseconds(100))
            _ = lane.tick()
        }
        #expect(lane.alive() == ["1/0: push(j)#1"])
        #expect(lane.alive() == [], "once is enough")
        lane.pass(.milliseconds(999))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["1/0: push(j)#1"], "and its patience is the first one again")
    }

    @Test("a leader that answers heartbeats and not a batch has lost it, when the batch is a second old")
    func resendToLivelyLeader() {
        var lane = LaneScript()
        _ = lane.alive()
        lane.push()
        #expect(lane.flush() == ["1/0: push(j)#1"])
        lane.pass(.milliseconds(500))
        #expect(lane.alive() == [])
        lane.pass(.milliseconds(500))
        #expect(lane.alive() == ["1/0: push(j)#1"])
        lane.pass(.milliseconds(500))
        #expect(lane.alive() == [])
        #expect(lane.reply(1, .ok) == ["to 1: #1 ok"])
        #expect(lane.alive() == [])
    }

    @Test("after its connection was lost the leader is asked again for all that waits, but told of no worker")
    func returned() {
        var lane = LaneScript()
        _ = lane.join("w")
        lane.fetch()
        lane.append(.flush, for: 2)
        _ = lane.flush()
        _ = lane.reply(1, .nothing, .parked, .deferred)
        lane.push("a", for: 3)
        #expect(lane.flush() == ["2/0: push(a)#4"])
        lane.push("b", for: 4)
        lane.pass(.milliseconds(400))
        #expect(lane.returned() == ["2/0: push(a)#4"])
        #expect(lane.reply(2, .ok) == ["3/0: fetch(q,1500)#2 other#3 push(b)#5", "to 3: #4 ok"])
        #expect(
            lane.reply(3, LaneScript.job(1), .deferred, .ok)
                == ["to 1: #2 job 1 J1", "to 2: #3 deferred", "to 4: #5 ok"]
        )
    }

    @Test("the leader has the front's own figures before it is asked for them, and no other time")
    func figures() {
        var lane = LaneScript()
        lane.push()
        var actions = lane.machine.flush(at: lane.now)
        #expect(!actions.contains(.tellFigures))
        _ = lane.reply(1, .ok)
        lane.append(.info)
        actions = lane.machine.flush(at: lane.now)
        #expect(actions.first == .tellFigures)
        #expect(LaneScript.words(actions) == ["2/0: info#2"])
    }

    @Test("replies to any batch but the one under way count for nothing", arguments: [0, 1, 3] as [UInt64])
    func staleReplies(number: UInt64) {
        var lane = LaneScript()
        lane.push()
        _ = lane.flush()
        _ = lane.reply(1, .ok)
        lane.push()
        #expect(lane.flush() == ["2/0: push(j)#2"])
        #expect(lane.reply(number, .ok) == [])
        #expect(lane.reply(2, .ok) == ["to 1: #2 ok"])
        #expect(lane.reply(2, .ok) == [])
    }

    @Test("a reply list of another length than the batch is not believed")
    func misaligned() {
        var lane = LaneScript()
        lane.push()
        _ = lane.flush()
        #expect(lane.reply(1, .ok, .ok) == ["batch 1: 2 replies for 1"])
        #expect(lane.reply(1, .ok) == ["to 1: #1 ok"])
    }

    // MARK: Jobs

    @Test("a job is settled by the batch after it was written, which an idle lane sends by itself")
    func settling() {
        var lane = LaneScript()
        lane.fetch()
        #expect(lane.flush() == ["1/0: fetch(q,1900)#1"])
        #expect(lane.reply(1, LaneScript.job(1)) == ["to 1: #1 job 1 J1"])
        #expect(lane.flush() == [])
        lane.machine.wrote(offer: 1)
        #expect(!lane.machine.isQuiet)
        #expect(lane.flush() == ["settle later"])
        #expect(lane.flush() == [], "it is asked for once")
        #expect(lane.settle() == ["2/1: "])
        #expect(lane.reply(2) == [])
        #expect(lane.machine.isQuiet)
    }

    @Test("the news of a written job rides on a command that leaves anyway")
    func settlingRides() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1))
        lane.machine.wrote(offer: 1)
        lane.push()
        #expect(lane.flush() == ["2/1: push(j)#2"])
        #expect(lane.settle() == [])
    }

    @Test("only jobs without an unsettled one before them are settled")
    func settlingOutOfOrder() {
        var lane = LaneScript()
        lane.fetch(for: 1)
        lane.fetch(for: 2)
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1), LaneScript.job(2))
        lane.machine.wrote(offer: 2)
        lane.push()
        #expect(lane.flush() == ["2/0: push(j)#3"])
        lane.machine.wrote(offer: 1)
        #expect(lane.reply(2, .ok) == ["settle later", "to 1: #3 ok"])
        #expect(lane.settle() == ["3/2: "])
    }

    @Test("a job that cannot be written is taken back and settled by the same batch")
    func takeBack() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1))
        lane.machine.takeBack(offer: 1, of: 1, at: lane.now)
        #expect(lane.flush() == ["2/1: withdraw#1"])
    }

    @Test("a withdrawal settles its job in the batch that carries it, and in none before")
    func takeBackBehindOthers() {
        var limits = LaneLimits()
        limits.batchCommandCount = 1
        var lane = LaneScript(limits: limits)
        lane.fetch()
        _ = lane.flush()
        lane.push()
        lane.machine.abandon(1, at: lane.now)
        #expect(lane.reply(1, LaneScript.job(1)) == ["2/0: push(j)#2"])
        #expect(lane.reply(2, .ok) == ["3/1: withdraw#1", "to 1: #2 ok"])
    }

    @Test("a job for a client that left while its FETCH was under way is taken back once")
    func offerForClosedClient() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        lane.machine.abandon(1, at: lane.now)
        lane.machine.abandon(1, at: lane.now)
        #expect(lane.reply(1, LaneScript.job(1)) == ["2/1: withdraw#1"])
        #expect(lane.reply(2, .nothing) == [])
    }

    @Test("a job that comes after the withdrawal has left is settled, and withdrawn again")
    func offerAfterWithdrawal() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, .parked)
        lane.machine.abandon(1, at: lane.now)
        #expect(lane.flush() == ["2/0: withdraw#1"])
        #expect(lane.late(1, LaneScript.job(1)) == [])
        #expect(lane.reply(2, .nothing) == ["3/1: withdraw#1"])
    }

    @Test("a withdrawal that the store refused is sent again before its job is settled, in front of everything else")
    func refusedWithdrawal() {
        var limits = LaneLimits()
        limits.batchCommandCount = 1
        var lane = LaneScript(limits: limits)
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1))
        lane.machine.takeBack(offer: 1, of: 1, at: lane.now)
        #expect(lane.flush() == ["2/1: withdraw#1"])
        lane.push("a")
        lane.push("b")
        #expect(lane.reply(2, .error("ERR full")) == ["3/1: withdraw#1"])
        #expect(lane.reply(3, .error("ERR full")) == ["4/1: withdraw#1"])
        #expect(lane.reply(4, .nothing) == ["5/1: push(a)#2"])
        #expect(lane.reply(5, .ok) == ["6/1: push(b)#3", "to 1: #2 ok"])
        #expect(lane.reply(6, .ok) == ["to 1: #3 ok"])
        #expect(lane.machine.isQuiet)
    }

    @Test("a new leader is told which workers have beaten, each behind its connection")
    func beatAgain() {
        var lane = LaneScript()
        let first = lane.join("a")
        _ = lane.join("b")
        _ = lane.flush()
        _ = lane.reply(1, .nothing, .nothing)
        lane.machine.noteBeat(first, residentKilobytes: 7)
        lane.machine.detached()
        #expect(lane.attach() == ["2/0: join(a)#1 other#3 join(b)#2"])
        #expect(lane.reply(2, .nothing, .ok, .nothing) == [])
        lane.machine.leave(first, at: lane.now)
        _ = lane.flush()
        _ = lane.reply(3, .nothing)
        lane.machine.detached()
        #expect(lane.attach() == ["4/0: join(b)#2"])
    }

    @Test("a new leader is told of a second BEAT of a worker that has fetched, since it cannot count that")
    func beatAndFetchAgain() {
        var lane = LaneScript()
        let first = lane.join("a")
        let second = lane.join("b")
        _ = lane.flush()
        _ = lane.reply(1, .nothing, .nothing)
        lane.machine.noteBeat(first, residentKilobytes: 7)
        for join in [first, second] { lane.machine.noteFetch(join) }
        lane.machine.detached()
        #expect(lane.attach() == ["2/0: join(a)#1 other#3 other#4 join(b)#2"])
    }

    @Test("nothing is settled ahead of a withdrawal that was refused, not even behind what a new leader is told first")
    func refusedWithdrawalWaits() {
        var limits = LaneLimits()
        limits.batchCommandCount = 1
        var lane = LaneScript(limits: limits)
        _ = lane.join("w")
        _ = lane.flush()
        _ = lane.reply(1, .nothing)
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(2, LaneScript.job(1))
        lane.machine.takeBack(offer: 1, of: 2, at: lane.now)
        #expect(lane.flush() == ["3/1: withdraw#2"])
        lane.machine.detached()
        #expect(lane.reply(3, .error("ERR full")) == [])
        #expect(lane.attach() == ["4/0: join(w)#1"])
        #expect(lane.reply(4, .nothing) == ["5/1: withdraw#2"])
    }

    @Test("a new leader is told again what the last batch settled, which may have been refused")
    func settlingAgain() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1))
        lane.machine.wrote(offer: 1)
        lane.push()
        #expect(lane.flush() == ["2/1: push(j)#2"])
        #expect(lane.reply(2, .error("ERR full")) == ["to 1: #2 error ERR full"])
        lane.machine.detached()
        #expect(lane.attach() == ["settle later"])
        #expect(lane.settle() == ["3/1: "])
        #expect(lane.reply(3) == [])
        #expect(lane.machine.isQuiet)
    }

    @Test("a job that is offered twice is written once and never withdrawn")
    func repeatedOffer() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, .parked)
        #expect(lane.late(1, LaneScript.job(1)) == ["to 1: #1 job 1 J1"])
        #expect(lane.late(1, LaneScript.job(1)) == [])
        lane.machine.wrote(offer: 1)
        #expect(lane.late(1, LaneScript.job(1)) == ["settle later"])
        #expect(lane.settle() == ["2/1: "])
    }

    @Test("an offer beyond the window is left with the leader", arguments: [(4, true), (5, false)] as [(UInt64, Bool)])
    func offerWindow(offer: UInt64, isTaken: Bool) {
        var limits = LaneLimits()
        limits.offerWindow = 4
        var lane = LaneScript(limits: limits)
        lane.fetch()
        _ = lane.flush()
        #expect(lane.reply(1, LaneScript.job(offer)).isEmpty != isTaken)
    }

    @Test("jobs that were written behind one that is not are named when it holds them up, and once to each leader")
    func writtenBehindAnother() {
        var lane = LaneScript()
        lane.machine.leaderSpeaks(2)
        for client in UInt64(1)...3 { lane.fetch(for: client) }
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1), LaneScript.job(2), LaneScript.job(3))
        lane.machine.wrote(offer: 3)
        #expect(lane.tick() == [], "the first may follow at once")
        lane.pass(.milliseconds(100))
        #expect(lane.tick() == ["settle later"])
        #expect(lane.settle() == ["2/0:  (arrived 0, written [3])"])
        #expect(lane.reply(2) == [])
        lane.machine.wrote(offer: 2)
        lane.pass(.milliseconds(100))
        #expect(lane.tick() == ["settle later"])
        lane.push()
        #expect(lane.flush() == ["3/0: push(j)#4 (arrived 0, written [2])"])
        #expect(lane.attach() == ["3/0: push(j)#4"], "another leader may read less")
        #expect(lane.reply(3, .ok).last == "to 1: #4 ok")
        #expect(lane.settle() == [], "it is not told what it may not read")
        lane.machine.leaderSpeaks(2)
        #expect(lane.tick() == ["settle later"])
        #expect(lane.settle() == ["4/0:  (arrived 0, written [3, 2])"])
        _ = lane.reply(4)
        lane.machine.wrote(offer: 1)
        #expect(lane.tick() == ["settle later"])
        #expect(lane.settle() == ["5/3: "])
    }

    @Test("a job that is long on its way to its client is told to have left the link, and no other")
    func arrivals() {
        var lane = LaneScript()
        lane.machine.leaderSpeaks(2)
        lane.fetch(for: 1)
        _ = lane.flush()
        _ = lane.reply(1, LaneScript.job(1))
        var said: [String] = []
        for _ in 0..<30 {
            lane.pass(.milliseconds(100))
            for words in lane.tick() where words == "settle later" {
                said += lane.settle()
                _ = lane.reply(2)
            }
        }
        #expect(said == ["2/0:  (arrived 1, written [])"])
    }

    @Test("a lost offer holds up the others only until every FETCH is over that it can have been for")
    func lostOffer() {
        var lane = LaneScript()
        lane.fetch(for: 1)
        lane.fetch(for: 2)
        _ = lane.flush()
        _ = lane.reply(1, .parked, .parked)
        // Offer 1 was for the first FETCH, and its message was lost.
        #expect(lane.late(2, LaneScript.job(2)) == ["to 2: #2 job 2 J2"])
        lane.machine.wrote(offer: 2)
        #expect(lane.tick() == [])
        #expect(lane.tick() == [])
        lane.machine.abandon(1, at: lane.now)
        #expect(lane.tick() == ["2/0: withdraw#1"])
        #expect(lane.reply(2, .nothing) == [])
        #expect(lane.tick() == ["settle later"])
        #expect(lane.settle() == ["3/2: "])
    }

    // MARK: Parked and deferred

    @Test("a late answer may come before the reply of the batch that was lost")
    func lateBeforeReplies() {
        var lane = LaneScript()
        lane.fetch()
        lane.append(.info, for: 2)
        _ = lane.flush()
        #expect(lane.late(1, LaneScript.job(1)) == ["to 1: #1 job 1 J1"])
        #expect(lane.late(2, .bulk([1])) == [])
        #expect(lane.reply(1, .parked, .deferred) == ["to 2: #2 bulk([1])"])
    }

    @Test("an answer to a request that is not known counts for nothing")
    func unknownLate() {
        var lane = LaneScript()
        #expect(lane.late(9, .ok) == [])
        #expect(lane.late(9, .null) == [])
        #expect(lane.flush() == [])
    }

    @Test("a deferred command is answered late, and its client is told to wait")
    func deferred() {
        var lane = LaneScript()
        lane.append(.info)
        _ = lane.flush()
        #expect(lane.reply(1, .deferred) == ["to 1: #1 deferred"])
        #expect(!lane.machine.isQuiet)
        #expect(lane.late(1, .bulk([7])) == ["to 1: #1 bulk([7])"])
        #expect(lane.machine.isQuiet)
    }

    @Test("a parked FETCH is asked for once again after its deadline, and answered without the leader in the end")
    func overdueFetch() {
        var lane = LaneScript()
        lane.fetch()
        _ = lane.flush()
        _ = lane.reply(1, .parked)
        lane.pass(.milliseconds(2_299))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["2/0: fetch(q,0)#1"])
        #expect(lane.reply(2, .parked) == [])
        lane.pass(.milliseconds(399))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["to 1: #1 null", "3/0: withdraw#1"])
        #expect(lane.late(1, .null) == [])
    }

    @Test("a FETCH in a batch that nobody answers is given up as well")
    func overdueFetchUnderWay() {
        var lane = LaneScript(isAttached: false)
        lane.fetch()
        lane.pass(.milliseconds(2_700))
        #expect(lane.tick() == ["to 1: #1 null"])
        #expect(lane.attach() == ["1/0: fetch(q,1900)#1 withdraw#1"])
    }

    // MARK: Fail-over

    @Test("a new leader gets the batch under way, then workers, parked FETCHes and deferred commands")
    func failOver() {
        var lane = LaneScript()
        let join = lane.join("w")
        lane.fetch()
        lane.append(.info, for: 2)
        #expect(lane.flush() == ["1/0: join(w)#1 fetch(q,1900)#2 info#3"])
        #expect(lane.reply(1, .nothing, .parked, .deferred) == ["to 2: #3 deferred"])
        lane.push("a", for: 3)
        #expect(lane.flush() == ["2/0: push(a)#4"])
        lane.push("b", for: 4)
        lane.machine.detached()
        lane.pass(.milliseconds(400))
        #expect(lane.tick() == [], "nothing is sent while nobody is attached to")
        #expect(lane.attach() == ["2/0: push(a)#4"])
        #expect(
            lane.reply(2, .ok)
                == ["3/0: join(w)#1 fetch(q,1500)#2 info#3 push(b)#5", "to 3: #4 ok"]
        )
        lane.machine.leave(join, at: lane.now)
        #expect(
            lane.reply(3, .nothing, .parked, .bulk([1]), .ok)
                == ["4/0: left(w)#1", "to 2: #3 bulk([1])", "to 4: #5 ok"]
        )
    }

    @Test("workers whose announcement or farewell has not left are announced as often as they are let go")
    func announcements() {
        var lane = LaneScript()
        let first = lane.join("a")
        _ = lane.flush()
        _ = lane.reply(1, .nothing)
        lane.push()
        _ = lane.flush()
        lane.machine.leave(first, at: lane.now)
        _ = lane.join("b")
        lane.machine.detached()
        #expect(lane.attach() == ["2/0: push(j)#2"])
        #expect(lane.reply(2, .ok).first == "3/0: join(a)#1 left(a)#1 join(b)#3")
        lane.machine.detached()
        #expect(lane.attach() == ["3/0: join(a)#1 left(a)#1 join(b)#3"])
        #expect(lane.reply(3, .nothing, .nothing, .nothing) == ["4/0: join(b)#3"])
    }

    @Test("a FETCH whose time has passed during a fail-over is asked for without waiting")
    func failOverAfterDeadline() {
        var lane = LaneScript()
        lane.fetch(wait: 100)
        _ = lane.flush()
        _ = lane.reply(1, .parked)
        lane.machine.detached()
        lane.pass(.milliseconds(200))
        #expect(lane.attach() == ["2/0: fetch(q,0)#1"])
    }

    @Test("an expired session leaves nothing behind")
    func reset() {
        var lane = LaneScript()
        _ = lane.join("w")
        lane.fetch()
        _ = lane.flush()
        lane.push()
        lane.machine.reset(to: SessionID(high: 9, low: 9))
        #expect(lane.machine.isQuiet)
        #expect(lane.reply(1, .nothing, .parked) == [])
        #expect(lane.attach() == [])
        lane.push("new")
        #expect(lane.flush() == ["1/0: push(new)#1"])
    }

    // MARK: Bounds

    @Test("a command that is held for too long costs its client the connection, once, and is still sent")
    func holdTimeout() {
        var lane = LaneScript(isAttached: false)
        lane.push(for: 1)
        lane.pass(.seconds(1))
        lane.push(for: 2)
        lane.pass(.milliseconds(8_999))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["close 1"])
        #expect(lane.tick() == [])
        lane.pass(.seconds(1))
        #expect(lane.tick() == ["close 2"])
        #expect(lane.attach() == ["1/0: push(j)#1 push(j)#2"])
    }

    @Test("a deferred command has no deadline while its leader is heard of")
    func noDeadlineWithLeader() {
        var lane = LaneScript()
        lane.append(.flush)
        _ = lane.flush()
        _ = lane.reply(1, .deferred)
        for _ in 0..<59 {
            lane.pass(.seconds(1))
            _ = lane.machine.leaderIsAlive(at: lane.now)
            #expect(lane.tick() == [])
        }
        // In case that the answer was lost on its way, it is asked for again under its number.
        lane.pass(.seconds(1))
        _ = lane.machine.leaderIsAlive(at: lane.now)
        #expect(lane.tick() == ["2/0: other#1"])
        #expect(lane.reply(2, .deferred) == ["to 1: #1 deferred"])
        lane.pass(.milliseconds(9_999))
        #expect(lane.tick() == [])
        lane.pass(.milliseconds(1))
        #expect(lane.tick() == ["close 1", "3/0: withdraw#1"])
        #expect(lane.machine.isQuiet == false)
        #expect(lane.reply(3, .nothing) == [])
        #expect(lane.machine.isQuiet)
    }

    @Test("a deferred command that went on under a new leader has all its time again")
    func deadlineAfterFailOver() {
        var lane = LaneScript()
        lane.append(.flush)
        _ = lane.flush()
        _ = lane.reply(1, .deferred)
        for _ in 0..<30 {
            lane.pass(.seconds(1))
            _ = lane.machine.leaderIsAlive(at: lane.now)
        }
        lane.machine.detached()
        lane.pass(.seconds(5))
        #expect(lane.attach() == ["2/0: other#1"])
        #expect(lane.tick() == [])
        #expect(lane.reply(2, .deferred) == ["to 1: #1 deferred"])
        #expect(lane.late(1, .ok) == ["3/0: withdraw#1", "to 1: #1 ok"])
    }

    @Test("the leader is told of the answers that it keeps, and of no others")
    func confirmations() {
        var lane = LaneScript()
        lane.append(.info)
        lane.append(.latency(queues: ["q"]))
        lane.append(.flush)
        lane.append(.queue(.remove, names: .all))
        lane.append(.mutate(MutationRequest(operation: "clear", target: "dead", filter: nil)))
        lane.append(.pushBulk(jobs: []))
        _ = lane.flush()
        // One comes before the reply of the batch, the others behind it.
        #expect(lane.late(3, .ok) == [])
        let first = lane.reply(1, .deferred, .deferred, .deferred, .deferred, .deferred, .deferred)
        #expect(first.first == "2/0: withdraw#3")
        #expect(lane.late(1, .bulk([1])) == ["to 1: #1 bulk([1])"])
        #expect(lane.late(2, .bulk([2])) == ["to 1: #2 bulk([2])"])
        for request in UInt64(4)...6 { #expect(lane.late(request, .ok) == ["to 1: #\(request) ok"]) }
        #expect(lane.reply(2, .nothing) == ["3/0: withdraw#4 withdraw#5 withdraw#6"])
    }

    @Test("a deferred command that is held for too long costs its client the connection")
    func holdTimeoutOfDeferred() {
        var lane = LaneScript()
        lane.append(.info)
        _ = lane.flush()
        _ = lane.reply(1, .deferred)
        lane.pass(.seconds(10))
        #expect(lane.tick() == ["close 1"])
        #expect(lane.late(1, .ok) == [])
    }

    @Test("reading stops at the bound of held commands and goes on below half of it")
    func heldCommands() {
        var limits = LaneLimits()
        limits.heldCommandCount = 4
        limits.batchCommandCount = 2
        var lane = LaneScript(limits: limits)
        for _ in 0..<3 { lane.push() }
        #expect(lane.flush() == ["1/0: push(j)#1 push(j)#2"])
        #expect(!lane.machine.isFull)
        lane.push()
        #expect(lane.machine.isFull)
        #expect(lane.flush() == ["pause"])
        #expect(lane.reply(1, .ok, .ok).last == "resume")
        #expect(!lane.machine.isFull)
    }

    @Test("reading stops at the bound of held bytes")
    func heldBytes() {
        var limits = LaneLimits()
        limits.heldByteCount = 28
        var lane = LaneScript(limits: limits)
        lane.push("a")
        #expect(!lane.machine.isFull)
        lane.push("b")
        #expect(lane.machine.isFull)
        #expect(lane.flush() == ["1/0: push(a)#1 push(b)#2", "pause"])
        #expect(lane.reply(1, .ok, .ok) == ["to 1: #1 ok", "to 1: #2 ok", "resume"])
    }
}
