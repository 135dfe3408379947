import Redis

/// One verb with many items on one key: one command, or several when there are more items than one should have.
struct VariadicRun {
    private let verb: String
    private let key: String
    private let argumentsPerItem: Int
    private var remaining: Int
    private var room = 0

    init(_ verb: String, _ key: String, itemCount: Int, argumentsPerItem: Int = 1) {
        self.verb = verb
        self.key = key
        self.argumentsPerItem = argumentsPerItem
        self.remaining = itemCount
    }

    /// Makes room for the arguments of the next item, which are to be written at once.
    mutating func beginItem(in commands: inout RedisCommandBuffer) {
        precondition(self.remaining > 0, "more items for \(self.verb) than were announced")
        if self.room == 0 {
            self.room = min(self.remaining, RedisCommandBuffer.maximumArgumentCount / self.argumentsPerItem)
            commands.begin(self.verb, argumentCount: 1 + self.room * self.argumentsPerItem)
            commands.append(self.key)
        }
        self.room -= 1
        self.remaining -= 1
    }
}
