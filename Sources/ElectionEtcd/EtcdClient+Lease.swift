import JobCore

extension EtcdClient {
    /// Takes a lease of so many seconds, rounded up; etcd may grant a longer one.
    ///
    /// If an answer is lost, a lease is left over that nobody renews and that ends by itself.
    package func grantLease(timeToLive: Duration) async throws(EtcdError) -> EtcdLease {
        let (seconds, attoseconds) = timeToLive.components
        precondition(timeToLive > .zero, "a lease of \(timeToLive) ends before it begins")
        let request = EtcdRequest.Grant(TTL: QuotedNumber(attoseconds > 0 ? seconds + 1 : seconds))
        let answer = try await self.call("/v3/lease/grant", request, returning: EtcdReply.Lease.self)
        return try Self.lease(answer.reply, sentAt: answer.sentAt)
    }

    /// Renews a lease; throws `.leaseNotFound` if it has ended.
    package func keepAlive(_ lease: LeaseID) async throws(EtcdError) -> EtcdLease {
        let answer = try await self.call(
            "/v3/lease/keepalive",
            EtcdRequest.Lease(ID: QuotedNumber(lease.number)),
            returning: EtcdReply.Streamed<EtcdReply.Lease>.self
        )
        if let failure = answer.reply.error { throw failure.error }
        guard let reply = answer.reply.result else {
            throw .unexpectedReply(reason: "neither a lease nor an error")
        }
        return try Self.lease(reply, sentAt: answer.sentAt)
    }

    /// Ends a lease, and removes the keys that were put with it; one that has ended already counts as ended.
    package func revoke(_ lease: LeaseID) async throws(EtcdError) {
        let request = EtcdRequest.Lease(ID: QuotedNumber(lease.number))
        do {
            _ = try await self.call("/v3/lease/revoke", request, returning: EtcdReply.Revoke.self)
        } catch .leaseNotFound {
            return
        }
    }

    private static func lease(_ reply: EtcdReply.Lease, sentAt: Uptime) throws(EtcdError) -> EtcdLease {
        // etcd says of a lease that has ended that nothing is left of it.
        guard reply.TTL.number > 0 else { throw .leaseNotFound }
        return EtcdLease(
            id: LeaseID(reply.ID.value),
            timeToLive: .seconds(reply.TTL.number),
            sentAt: sentAt
        )
    }
}
