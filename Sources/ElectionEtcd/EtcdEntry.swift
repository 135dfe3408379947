/// What etcd holds under a key.
package struct EtcdEntry: Sendable, Equatable {
    package var value: [UInt8]
    /// The revision at which the key came to be; the same until it is removed.
    package var createRevision: UInt64
    /// The revision at which the value was last put.
    package var modRevision: UInt64
    /// The lease with which the key goes, if there is one.
    package var lease: LeaseID?

    package init(value: [UInt8], createRevision: UInt64, modRevision: UInt64, lease: LeaseID? = nil) {
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.lease = lease
    }

    /// The value as text, with what is not UTF-8 repaired.
    package var text: String { String(decoding: self.value, as: UTF8.self) }
}

/// All keys with a prefix, as they were at one revision.
package struct EtcdSnapshot: Sendable, Equatable {
    /// The revision of the whole of etcd at which this was so.
    package var revision: UInt64
    package var entries: [String: EtcdEntry]

    package init(revision: UInt64, entries: [String: EtcdEntry]) {
        self.revision = revision
        self.entries = entries
    }
}
