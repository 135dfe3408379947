/// Whether there is any use in starting a child again that has ended.
///
/// A child that has served once is started again for as long as it takes. One that never came up is given up: at once when
/// it says itself that nothing would change, or is not there, and otherwise after so many attempts as its kind is worth.
struct StartJudgement: Sendable, Equatable {
    /// How many attempts a child has that ends with a failure before it has lived for ``RestartBackoff/settled``.
    let attemptBound: Int
    private var attempts = 0
    private var hasSettled = false

    init(attemptBound: Int) {
        self.attemptBound = attemptBound
    }

    /// Takes in how a child ended after living for so long; false when it is to be given up.
    mutating func goesOn(after exit: ChildExit, living lifetime: Duration) -> Bool {
        self.attempts += 1
        guard !self.hasSettled, case .code(let code) = exit, code != 0 else {
            self.hasSettled = true
            return true
        }
        if code == ExitCode.hopeless || code == ExitCode.notFound { return self.attempts > 1 }
        if lifetime >= RestartBackoff.settled {
            self.hasSettled = true
            return true
        }
        return self.attempts < self.attemptBound
    }
}
