import JobCore

/// Notices that the wall clock was set back, and which reservations are still to be told their ends anew because of it.
///
/// Reservations are found by their ends on the wall. When that clock is set back, those that were given before would outlive
/// their time by as much, since nobody looks at them before the wall says so.
struct ReservationClock {
    /// Less than that is no step.
    static let tolerance = Duration.seconds(1)

    /// The wall less the clock that nobody sets, as far ahead as it has been.
    private var lead: Duration
    private(set) var outdated: [JobID] = []

    init(at now: Moment) {
        self.lead = Self.lead(at: now)
    }

    private static func lead(at now: Moment) -> Duration {
        .nanoseconds(now.wall.nanosecondsSinceEpoch) - .nanoseconds(now.uptime.nanoseconds)
    }

    /// Whether the wall was set back since the last look.
    mutating func isSetBack(at now: Moment) -> Bool {
        let lead = Self.lead(at: now)
        guard lead + Self.tolerance < self.lead else {
            self.lead = max(self.lead, lead)
            return false
        }
        self.lead = lead
        return true
    }

    /// The ends of these are later on the wall than they should be.
    mutating func note(_ outdated: [JobID]) {
        self.outdated = outdated
    }

    /// The end of this one is.
    mutating func note(_ outdated: JobID) {
        self.outdated.append(outdated)
    }

    /// Some of those whose ends are to be told anew; they are not named again.
    mutating func next(_ count: Int) -> [JobID] {
        let some = Array(self.outdated.suffix(count))
        self.outdated.removeLast(some.count)
        return some
    }
}
