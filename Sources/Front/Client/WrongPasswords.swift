package import JobCore

/// Counts wrong passwords by the address that they came from, so that guessing is slow.
///
/// Each address may be wrong `burst` times in a row and gets one more try every `recovery`. The table is bounded: when
/// it is full of addresses that have not recovered, the one that is nearest to it is forgotten.
package struct WrongPasswords: Sendable {
    /// How many wrong passwords an address has to begin with.
    package let burst: Int
    /// How long it takes until one wrong password is forgiven.
    package let recovery: Duration
    /// How many addresses are remembered.
    package let maximumAddressCount: Int

    /// When the last wrong password of each address is forgiven.
    private var forgivenAt: [String: Uptime] = [:]

    package init(burst: Int = 10, recovery: Duration = .seconds(6), maximumAddressCount: Int = 1_024) {
        precondition(burst > 0 && maximumAddressCount > 0, "bounds \(burst) and \(maximumAddressCount)")
        self.burst = burst
        self.recovery = recovery
        self.maximumAddressCount = maximumAddressCount
    }

    /// Whether a password from this address is looked at.
    package func mayTry(_ address: String, at now: Uptime) -> Bool {
        guard let forgivenAt = self.forgivenAt[address] else { return true }
        return forgivenAt <= now + self.recovery * (self.burst - 1)
    }

    /// Notes a wrong password.
    package mutating func note(_ address: String, at now: Uptime) {
        let start = max(self.forgivenAt[address] ?? now, now)
        if self.forgivenAt[address] == nil, self.forgivenAt.count >= self.maximumAddressCount { self.forget(at: now) }
        self.forgivenAt[address] = start + self.recovery
    }

    private mutating func forget(at now: Uptime) {
        self.forgivenAt = self.forgivenAt.filter { $0.value > now }
        guard self.forgivenAt.count >= self.maximumAddressCount,
            let nearest = self.forgivenAt.min(by: { $0.value < $1.value })
        else { return }
        self.forgivenAt[nearest.key] = nil
    }
}
