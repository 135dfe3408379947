import Testing

@testable import MillraceServer

@Suite("The repair of a log that could not be written")
struct LogRepairTests {
    private static func persistence(
        _ write: String = "ok",
        isRewriting: Bool = false,
        isScheduled: Bool = false,
        lastRewrite: String = "ok"
    ) -> String {
        """
        # Persistence\r
        aof_enabled:1\r
        aof_rewrite_in_progress:\(isRewriting ? 1 : 0)\r
        aof_rewrite_scheduled:\(isScheduled ? 1 : 0)\r
        aof_last_bgrewrite_status:\(lastRewrite)\r
        aof_last_write_status:\(write)\r

        """
    }

    @Test("there is none as long as Redis can write")
    func whole() {
        var repair = LogRepair()
        #expect(repair.take(Self.persistence()) == .nothing)
        #expect(repair.take(Self.persistence(isRewriting: true, lastRewrite: "err")) == .nothing)
        #expect(!repair.isUnderWay)
    }

    @Test("begins once Redis can write again and no other rewrite is under way, and ends with the rewrite")
    func repaired() {
        var repair = LogRepair()
        #expect(repair.take(Self.persistence("err")) == .report)
        #expect(repair.take(Self.persistence("err")) == .nothing)
        #expect(repair.isUnderWay)
        // Begun before, so that the damaged file stays.
        #expect(repair.take(Self.persistence(isRewriting: true)) == .nothing)
        #expect(repair.take(Self.persistence(isScheduled: true)) == .nothing)
        #expect(repair.take(Self.persistence()) == .rewrite)
        #expect(repair.take(Self.persistence()) == .rewrite, "Redis has not taken the command")
        repair.noteRewrite()
        #expect(repair.take(Self.persistence(isRewriting: true)) == .nothing)
        #expect(repair.isUnderWay)
        #expect(repair.take(Self.persistence()) == .done)
        #expect(!repair.isUnderWay)
        #expect(repair.take(Self.persistence()) == .nothing)
    }

    @Test("begins again when the rewrite fails, or the disk is full again meanwhile")
    func again() {
        for (failure, step) in [
            (Self.persistence(lastRewrite: "err"), LogRepair.Step.nothing), (Self.persistence("err"), .report),
        ] {
            var repair = LogRepair()
            _ = repair.take(Self.persistence("err"))
            repair.noteRewrite()
            #expect(repair.take(failure) == step)
            #expect(repair.take(Self.persistence(lastRewrite: "err")) == .rewrite)
        }
    }
}
