import JobStorageRedis
import Testing

@testable import MillraceServer

@Suite("The repair of a log that could not be written")
struct LogRepairTests {
    private static func persistence(
        _ write: String = "ok",
        isRewriting: Bool = false,
        isScheduled: Bool = false,
        lastRewrite: String = "ok",
        size: Int = 1_000,
        base: Int = 300
    ) -> String {
        """
        # Persistence\r
        aof_enabled:1\r
        aof_rewrite_in_progress:\(isRewriting ? 1 : 0)\r
        aof_rewrite_scheduled:\(isScheduled ? 1 : 0)\r
        aof_last_bgrewrite_status:\(lastRewrite)\r
        aof_last_write_status:\(write)\r
        aof_current_size:\(size)\r
        aof_base_size:\(base)\r

        """
    }

    @Test("there is none as long as Redis can write")
    func whole() {
        var repair = LogRepair()
        #expect(repair.take(Self.persistence(), length: nil) == .nothing)
        #expect(repair.take(Self.persistence(isRewriting: true, lastRewrite: "err"), length: nil) == .nothing)
        #expect(repair.pause == .seconds(1))
    }

    @Test("begins once Redis can write again and no other rewrite is under way, and ends with the rewrite")
    func repaired() {
        var repair = LogRepair()
        #expect(repair.take(Self.persistence("err"), length: nil) == .report)
        #expect(repair.take(Self.persistence("err"), length: nil) == .nothing)
        #expect(repair.pause == .milliseconds(100))
        // Begun before, so that the damaged file stays.
        #expect(repair.take(Self.persistence(isRewriting: true), length: nil) == .nothing)
        #expect(repair.take(Self.persistence(isScheduled: true), length: nil) == .nothing)
        #expect(repair.take(Self.persistence(), length: nil) == .rewrite)
        #expect(repair.take(Self.persistence(), length: nil) == .rewrite, "Redis has not taken the command")
        repair.noteRewrite()
        #expect(repair.take(Self.persistence(isRewriting: true), length: nil) == .nothing)
        #expect(repair.pause == .milliseconds(100))
        #expect(repair.take(Self.persistence(), length: nil) == .done)
        #expect(repair.pause == .seconds(1))
        #expect(repair.take(Self.persistence(), length: nil) == .nothing)
    }

    @Test("begins again when the rewrite fails, or the disk is full again meanwhile")
    func again() {
        for (failure, step) in [
            (Self.persistence(lastRewrite: "err"), LogRepair.Step.nothing), (Self.persistence("err"), .report),
        ] {
            var repair = LogRepair()
            _ = repair.take(Self.persistence("err"), length: nil)
            repair.noteRewrite()
            #expect(repair.take(failure, length: nil) == step)
            #expect(repair.pause == .seconds(10), "each attempt may fill the disk")
            #expect(repair.take(Self.persistence(lastRewrite: "err"), length: nil) == .rewrite)
        }
    }

    @Test("begins when the log is longer than what Redis has written, whose disk was full for a moment only")
    func gap() {
        var repair = LogRepair()
        let length = LogManifest.Length(base: 300, increments: 700)
        let longer = LogManifest.Length(base: 300, increments: 701)
        for (size, base) in [(1_000, 300), (1_001, 300), (1_000, 450), (700, 0)] {
            #expect(repair.take(Self.persistence(size: size, base: base), length: length) == .nothing)
        }
        #expect(repair.take(Self.persistence(isRewriting: true, size: 1_000), length: longer) == .nothing)
        var new = repair
        #expect(repair.take(Self.persistence(size: 1_000), length: longer) == .rewrite)
        #expect(new.take(Self.persistence(size: 700, base: 0), length: longer) == .rewrite)
        #expect(repair.pause == .milliseconds(100))
        repair.noteRewrite()
        #expect(repair.take(Self.persistence(size: 700), length: length) == .done)
    }
}
