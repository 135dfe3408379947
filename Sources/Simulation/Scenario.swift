/// What goes wrong in a simulated world.
package enum Scenario: String, CaseIterable, Sendable {
    /// Whatever can, in clusters that are new or have served.
    case anything = "anything"
    /// A new cluster loses the host of its first leader for good, soon after it has begun.
    case lostFounder = "lost-founder"
    /// A leader is told to hand over, and the stream to its successor is cut at about that time.
    case stalledHandOver = "stalled-hand-over"
}
