import JobCore
import JobStorage

/// How far the names of the jobs that an earlier leader left have been read.
///
/// The walk visits the places that name jobs without their payloads: the lists of the queues and the sorted sets. The
/// reservations are known from the start. While it is under way, jobs move; whatever arrives at a place is noted where it
/// arrives, and what does not move is met in its place:
/// * a list is read from its newest entry on, so that entries which join push the others on to where they are still to be
///   read, and entries which leave do so at the far end;
/// * a scan of a set shows each member that is there from its beginning to its end.
///
/// So nothing alive is missed. A name that was read is noted before anything else happens: a step stands between two
/// turns, where the store has what the leader has.
struct LiveJobWalk {
    private enum Place {
        case queue(QueueName, offset: Int)
        case set(JobSet, cursor: UInt64)
    }

    /// How many names one step reads, so that it keeps nobody waiting for more than a millisecond or two.
    static let stepCount = 2_048

    /// The places that are left, the next one last.
    private var places: [Place]

    init(queues: [QueueName], sets: [JobSet]) {
        self.places = queues.map { .queue($0, offset: 0) } + sets.map { .set($0, cursor: 0) }
    }

    var isDone: Bool { self.places.isEmpty }

    /// Reads some more names.
    mutating func step(over store: any JobStore) throws(StorageError) -> [JobID] {
        guard let place = self.places.popLast() else { return [] }
        switch place {
        case .queue(let name, let offset):
            let entries = try store.newestEntries(of: name, from: offset, count: Self.stepCount)
            if entries.count == Self.stepCount { self.places.append(.queue(name, offset: offset + entries.count)) }
            return entries.map(\.jobID)
        case .set(let set, let cursor):
            let (members, next) = try store.scan(set, from: cursor, count: Self.stepCount)
            if let next { self.places.append(.set(set, cursor: next)) }
            return members.map(\.jobID)
        }
    }
}
