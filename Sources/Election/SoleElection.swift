package import JobCore

/// The election of single mode: there is one manager, so it leads.
///
/// Its epochs count the starts of a leadership in the data itself. That two managers are never
/// pointed at one Redis in this mode is the operator's part; a manager therefore claims the data
/// by writing its epoch, and a leader that finds a greater one in its place resigns.
package struct SoleElection: Election {
    package init() {}

    package var mayLoad: Bool { true }

    package var needsProof: Bool { false }

    package func leadership(after latest: Epoch, at now: Uptime) -> Leadership? {
        Leadership(epoch: Epoch(latest.number + 1), trustedUntil: nil)
    }

    package func duty(in epoch: Epoch, at now: Uptime) -> LeaderDuty { .lead }

    package func resign(_ leadership: Leadership) {}

    package func onChange(_ notify: @escaping @Sendable () -> Void) {}
}
