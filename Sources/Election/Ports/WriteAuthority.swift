/// Who says whether this member may write, and whether what was written may be acknowledged.
///
/// The leader's thread asks before and after each transaction, so that an answer must not take long.
package protocol WriteAuthority: Sendable {
    /// The ticket for a transaction that is about to be written; nil when this member must not write.
    var ticket: WriteTicket? { get }

    /// Whether a transaction written under this ticket may be acknowledged, confirmed by these other members.
    func acknowledges(_ written: WriteTicket, confirmedBy replicas: MemberSet) -> Bool

    /// Takes in that writes under this ticket are confirmed by these members only, or by enough again.
    func noteConfirmation(of written: WriteTicket, by replicas: MemberSet)

    /// Takes in that the Redis of this member takes no writes under this ticket because it cannot write to its disk.
    func noteRefusal(of written: WriteTicket)
}
