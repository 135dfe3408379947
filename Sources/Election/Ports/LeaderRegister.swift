/// Where a cluster keeps who leads it: etcd.
package protocol LeaderRegister: Sendable {
    /// Carries an action out, and answers what came of it.
    ///
    /// Nil when nothing is known, or nothing need be: the machine asks again. It returns within a bounded time.
    func perform(_ action: EtcdAction) async -> EtcdEvent?

    /// What an operator ought to know of it, in words, as far as that has been noticed.
    var troubles: [String] { get }

    /// Tells the state at once and whenever it changes, until the task is cancelled.
    ///
    /// - Throws: when asking again is of no use, as with a wrong password.
    func watch(_ tell: @Sendable (ClusterState) -> Void) async throws
}
