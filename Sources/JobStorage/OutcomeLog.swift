import JobCore

/// The form in which the store keeps which jobs have ended lately: bytes in a ring of segments.
///
/// Only what writes them knows what the bytes are. A segment grows at its end and is emptied as a whole.
package enum OutcomeLog {
    /// How many segments there are, numbered from 0.
    package static let segmentCount = 4
}

/// What one transaction adds to the log of outcomes.
package struct OutcomeChange: Hashable, Sendable {
    /// The segment that grows.
    package var segment: Int
    /// Whether it is emptied first, and for how long it is kept from then on; nil when it goes on growing.
    package var beginsFor: Duration?
    package var bytes: [UInt8]

    package init(segment: Int, beginsFor: Duration?, bytes: [UInt8]) {
        self.segment = segment
        self.beginsFor = beginsFor
        self.bytes = bytes
    }
}
