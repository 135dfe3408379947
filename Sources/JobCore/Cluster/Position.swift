/// The number of a leadership; a later leader has a greater one.
///
/// In replicated mode it is the revision at which etcd created the leader's key. In
/// single mode there is no etcd, and the manager counts its own starts in the data.
public struct Epoch: Hashable, Comparable, Sendable {
    /// The number itself; 0 is the epoch before any leader.
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static func < (left: Epoch, right: Epoch) -> Bool {
        left.number < right.number
    }
}

/// How far a data set has got: who wrote last, and its how-manieth transaction that was.
///
/// The position is part of the data and is counted up by every transaction, so that it
/// survives a restart, which Redis's own replication offset does not.
package struct Position: Hashable, Comparable, Sendable {
    /// The leadership that wrote last.
    package var epoch: Epoch
    /// How many transactions this data set has taken, over all epochs.
    package var sequence: UInt64

    package init(epoch: Epoch, sequence: UInt64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    package static func < (left: Position, right: Position) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }
}
