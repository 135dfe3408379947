import Election
import Synchronization
import TestSupport

/// Says what a test wants it to say.
final class FakeAuthority: WriteAuthority {
    let notes = Told<MemberSet>()
    let refusals = Told<WriteTicket>()
    private let current: Mutex<WriteTicket?>
    private let majority: Int

    init(_ ticket: WriteTicket?, majority: Int = 1) {
        self.current = Mutex(ticket)
        self.majority = majority
    }

    var ticket: WriteTicket? { self.current.withLock { $0 } }

    func change(to ticket: WriteTicket?) {
        self.current.withLock { $0 = ticket }
    }

    func acknowledges(_ written: WriteTicket, confirmedBy replicas: MemberSet) -> Bool {
        self.ticket == written && replicas.count + 1 >= self.majority
    }

    func noteConfirmation(of written: WriteTicket, by replicas: MemberSet) {
        self.notes.put(replicas)
    }

    func noteRefusal(of written: WriteTicket) {
        self.refusals.put(written)
    }
}
