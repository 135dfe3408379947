/// A change of many jobs at once (the argument of MUTATE).
package struct Mutation: Equatable, Sendable {
    /// What is done with the jobs.
    package enum Operation: String, Sendable {
        /// Drops the whole set, whatever the filter says.
        case clear
        /// Moves them to the dead.
        case kill
        /// Drops them.
        case discard
        /// Puts them into their queues.
        case requeue
    }

    /// The set that the jobs are in.
    package enum Target: String, Sendable {
        case scheduled
        case retries
        case dead
    }

    package let operation: Operation
    package let target: Target
    /// Which jobs; nil for all of the set.
    package let filter: MutationFilter?

    package init(operation: Operation, target: Target, filter: MutationFilter? = nil) {
        self.operation = operation
        self.target = target
        self.filter = filter
    }
}
