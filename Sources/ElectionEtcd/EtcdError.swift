/// Everything that can go wrong between a caller and etcd.
package enum EtcdError: Error, Equatable {
    /// No endpoint carried it out in time; what was asked for may or may not have happened.
    ///
    /// This is also what the members of a minority answer, and what a caller that was cancelled is told.
    case unavailable(reason: String)
    /// The user, the password or the user's rights do not suffice; nothing has happened.
    case unauthorized(reason: String)
    /// The lease has run out or was revoked; nothing has happened.
    case leaseNotFound
    /// etcd declined for another reason, which it states; nothing has happened.
    case refused(reason: String)
    /// What came back is not what etcd's interface promises.
    case unexpectedReply(reason: String)
}
