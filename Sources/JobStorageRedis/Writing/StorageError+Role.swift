import JobStorage

extension StorageError {
    /// What Redis answers when it is not the one to be written to, or not yet: later, or elsewhere, it is another matter.
    private static let passingRefusals = [
        "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "NOAUTH", "NOPERM", "WRONGPASS",
    ]

    /// Whether this answer of Redis says nothing of the command, and only of the state or the role of that Redis.
    static func isPassing(_ answer: String) -> Bool {
        Self.passingRefusals.contains { answer.hasPrefix($0) }
    }

    /// Whether Redis refuses every write because it cannot write to its disk, be that full or broken.
    var isDiskFailure: Bool {
        guard case .refused(let reason) = self else { return false }
        return reason.hasPrefix("MISCONF")
    }

    /// An error as a leader whose Redis may be replaced by another one may pass it on.
    ///
    /// A Redis that was started anew, has a new role or a full disk refuses writes, which is no answer for a client: another
    /// leader, or another Redis, will know better.
    func forLeader(isLeading: Bool) -> StorageError {
        guard case .refused(let reason) = self else { return self }
        return Self.isPassing(reason) || self.isDiskFailure || !isLeading ? .disconnected(reason: reason) : self
    }
}
