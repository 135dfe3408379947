/// What must be so for a transaction to do anything.
package enum EtcdCondition: Sendable, Equatable {
    /// There is no such key.
    case isAbsent(String)
    /// The key is the one that came to be at this revision.
    case wasCreated(String, at: UInt64)
    /// The key's value is the one that was put at this revision.
    case wasPut(String, at: UInt64)
}

/// What a transaction does.
package enum EtcdOperation: Sendable, Equatable {
    /// Puts a value; with a lease, the key goes when the lease does.
    case put(String, [UInt8], lease: LeaseID? = nil)
    /// Removes a key, if it is there.
    case delete(String)
}

/// How a bid for a key came out.
package enum CampaignOutcome: Sendable, Equatable {
    /// The key is ours, since this revision.
    case won(createRevision: UInt64)
    /// The key is somebody else's.
    case held(by: EtcdEntry)
    /// The key is nobody's, but another condition of the bid does not hold.
    case prevented
}
