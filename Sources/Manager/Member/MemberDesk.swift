package import Election
package import JobCore
import Synchronization

/// A member's machine, and what the leader's loop may know of it.
///
/// The machine is driven by ``MemberService`` alone. The leader's thread asks here whether it may write and answer; what the
/// machine decides counts for it from that moment on, before anything else is done about it.
package final class MemberDesk: Election, WriteAuthority {
    /// What the leader's loop was told to do.
    private enum Orders {
        case standBy
        case serve(WriteTicket)
        case pause(Epoch)
    }

    private struct State {
        var machine: MemberMachine
        var orders = Orders.standBy
        /// The epoch for which the leader's loop runs.
        var loopEpoch: Epoch?
        var notify: (@Sendable () -> Void)?
        var tell: (@Sendable (TakeOverEvent) -> Void)?
    }

    package let id: MemberID
    package let membership: Membership
    private let state: Mutex<State>

    package init(machine: MemberMachine) {
        self.id = machine.id
        self.membership = machine.membership
        self.state = Mutex(State(machine: machine))
    }

    // MARK: For the service

    /// Takes in what happened; what is answered is to be done in this order.
    func receive(_ event: TakeOverEvent, at now: Uptime) -> [TakeOverAction] {
        self.state.withLock { $0.machine.receive(event, at: now) }
    }

    var nextDeadline: Uptime { self.state.withLock { $0.machine.nextDeadline } }

    /// What an operator is told, but for what Redis says.
    func status(findings: [MemberStatus.Finding]) -> MemberStatus {
        self.state.withLock { state in
            MemberStatus(
                member: self.id,
                isServing: state.machine.leadership != nil,
                leader: state.machine.observed.leader,
                record: state.machine.record,
                store: nil,
                findings: findings
            )
        }
    }

    /// Where to tell what the leader's loop did.
    func tell(through tell: @escaping @Sendable (TakeOverEvent) -> Void) {
        self.state.withLock { $0.tell = tell }
    }

    func startServing(_ ticket: WriteTicket) {
        self.change { $0.orders = .serve(ticket) }
    }

    func pauseServing(_ epoch: Epoch) {
        self.change { state in
            state.orders = .pause(epoch)
            // A loop that does not run has nothing to commit.
            if state.loopEpoch == nil { state.tell?(.drained(epoch)) }
        }
    }

    func stopServing() {
        self.change { $0.orders = .standBy }
    }

    private func change(_ body: (inout State) -> Void) {
        let notify = self.state.withLock { state in
            body(&state)
            return state.notify
        }
        notify?()
    }

    // MARK: For the leader's loop

    package var mayLoad: Bool {
        self.state.withLock { state in
            guard case .serve(let ticket) = state.orders else { return false }
            return state.machine.ticket == ticket
        }
    }

    package var needsProof: Bool { true }

    package func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        self.state.withLock { state in
            guard case .serve(let ticket) = state.orders, state.machine.ticket == ticket,
                let leadership = state.machine.leadership, latest <= leadership.epoch,
                Self.isTrusted(leadership, at: now)
            else { return nil }
            state.loopEpoch = leadership.epoch
            return leadership
        }
    }

    package func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty {
        self.state.withLock { state in
            guard let leadership = state.machine.leadership, leadership.epoch == epoch,
                Self.isTrusted(leadership, at: now)
            else { return .leave }
            switch state.orders {
            case .standBy: return .leave
            case .serve(let ticket): return ticket.epoch == epoch ? .lead : .leave
            case .pause(let paused): return paused == epoch ? .finish : .leave
            }
        }
    }

    package func resign(_ leadership: Leadership) {
        self.state.withLock { state in
            state.loopEpoch = nil
            if case .pause(leadership.epoch) = state.orders { state.tell?(.drained(leadership.epoch)) }
        }
    }

    package func onChange(_ notify: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.notify = notify }
    }

    package var ticket: WriteTicket? { self.state.withLock { $0.machine.ticket } }

    package func acknowledges(_ written: WriteTicket, confirmedBy replicas: MemberSet) -> Bool {
        self.state.withLock { $0.machine.acknowledges(written, confirmedBy: replicas) }
    }

    package func noteConfirmation(of written: WriteTicket, by replicas: MemberSet) {
        self.state.withLock { $0.tell?(.committed(written, replicas: replicas)) }
    }

    package func noteRefusal(of written: WriteTicket) {
        self.state.withLock { $0.tell?(.refused(written)) }
    }

    private static func isTrusted(_ leadership: Leadership, at now: Uptime) -> Bool {
        leadership.trustedUntil.map { now < $0 } ?? true
    }
}
