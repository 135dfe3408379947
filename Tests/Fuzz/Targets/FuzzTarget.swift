/// A parser that is fed with anything, and what must hold whatever that is.
///
/// The raw value names the target to `scripts/fuzz`, and its folder of first inputs.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Lines cut out of pieces, and the commands in them.
    case lines
    /// Payloads of PUSH and PUSHB, and the server's changes of them.
    case jobs
    /// The line with which a client introduces itself.
    case hello
    /// Arguments of MUTATE, and the patterns in them.
    case mutations
    /// Configuration files.
    case settings
    /// Messages between fronts, schedulers and the leader.
    case envelopes
    /// Messages between members, one after the other, and what a member makes of them.
    case peers
    /// Messages of fronts and schedulers, one after the other, and what a leader makes of them.
    case conversations

    /// Feeds the parser; throws when it does not keep what it promises, and traps when it traps.
    package func check(_ input: [UInt8]) throws(BrokenPromise) {
        switch self {
        case .lines: try LinePromises.check(input)
        case .jobs: try JobPromises.check(input)
        case .hello: try HelloPromises.check(input)
        case .mutations: try MutationPromises.check(input)
        case .settings: try SettingsPromises.check(input)
        case .envelopes: try EnvelopePromises.check(input)
        case .peers: try PeerPromises.check(input)
        case .conversations: try ConversationPromises.check(input)
        }
    }
}
