package import JobCore

/// The number of a lease in etcd.
package struct LeaseID: Hashable, Sendable {
    package let number: Int64

    package init(_ number: Int64) {
        self.number = number
    }
}

/// A lease as etcd granted or renewed it.
package struct EtcdLease: Sendable, Equatable {
    package var id: LeaseID
    /// How long it lasts unless renewed, as etcd decided; never less than one and a half of its election timeouts.
    package var timeToLive: Duration
    /// When the request that was answered left us.
    package var sentAt: Uptime

    package init(id: LeaseID, timeToLive: Duration, sentAt: Uptime) {
        self.id = id
        self.timeToLive = timeToLive
        self.sentAt = sentAt
    }

    /// Until when the lease may be relied on.
    ///
    /// It counts from when it was asked for, because nobody knows how long the answer was on its way.
    package var trustedUntil: Uptime { self.sentAt + self.timeToLive }
}
