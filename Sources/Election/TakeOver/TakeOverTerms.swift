/// Every wait of the take-over protocol.
///
/// None of them is needed for safety; they decide how long a cluster is without a leader.
package struct TakeOverTerms: Hashable, Sendable {
    /// How long etcd keeps the leader key without a renewal, and how long a leader trusts it from when it *asked*.
    package var leaseTimeToLive: Duration = .seconds(3)
    /// How often a leader or candidate asks etcd to keep its lease.
    package var leaseRenewalInterval: Duration = .seconds(1)
    /// How often a leader or candidate says that it is there.
    package var heartbeatInterval: Duration = .milliseconds(250)
    /// How long a member hears nothing of the leader before it suspects it.
    package var heartbeatSilence: Duration = .milliseconds(1_500)
    /// How long a member waits for a leader whose connection was reset to come back.
    package var reconnectionGrace: Duration = .milliseconds(200)
    /// How long the suspicion of another member counts.
    package var suspicionLifetime: Duration = .milliseconds(1_000)
    /// How often a member asks etcd for the state without having been told to.
    package var statePollInterval: Duration = .seconds(1)
    /// How soon something is asked of etcd, the peers or Redis again when no answer came.
    package var retryInterval: Duration = .milliseconds(250)
    /// How long a bid for the leader key waits for its answer.
    package var bidBound: Duration = .seconds(2)
    /// How long a candidate that nobody asked to lead waits for the remaining members once it has a majority.
    package var laggardGrace: Duration = .milliseconds(150)
    /// How long a candidate has, from winning the key, to find a majority.
    package var cutBound: Duration = .milliseconds(2_500)
    /// How long a candidate that found a majority may wait for its own AOF to be rewritten, if that is under way.
    package var settlingBound: Duration = .seconds(2)
    /// How long a candidate has, from promoting its Redis, until a majority holds its marker.
    ///
    /// A follower that needs the whole data set has to get it within this time, if a majority depends on it.
    package var markerBound: Duration = .seconds(10)
    /// How long writes may remain unconfirmed, or too few replicas attached, before a leader resigns.
    package var confirmationBound: Duration = .seconds(2)
    /// How long Redis may leave a command of the agent unanswered.
    package var redisBound: Duration = .seconds(2)
    /// How often Redis is asked for a report, by a leader or by a member that is not clean.
    package var inspectionInterval: Duration = .milliseconds(500)
    /// How often a clean member that does not lead looks whether its Redis has synchronized by itself.
    package var idleInspectionInterval: Duration = .seconds(2)
    /// How long the others leave the leader key to the member that is preferred.
    package var preferenceHeadStart: Duration = .seconds(1)
    /// How long a member that resigned leaves the leader key to the others.
    package var campaignPause: Duration = .milliseconds(700)
    /// How long a leader whose Redis cannot write to its disk leaves the leader key to the others, unless one prefers it.
    package var refusalPause: Duration = .seconds(5)
    /// How long a member remembers an operator's `recover`.
    package var recoveryBound: Duration = .seconds(30)
    /// How long a planned hand-over may take before the leader goes on leading, and how long it waits before for an answer
    /// of etcd, and for a successor that does not have everything.
    package var handOverBound: Duration = .seconds(5)
    /// How soon a leader that is to hand over looks again whether its successor has everything.
    package var handOverInspectionInterval: Duration = .milliseconds(10)

    package init() {}
}
