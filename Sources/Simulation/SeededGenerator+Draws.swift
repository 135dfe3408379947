import JobCore

extension SeededGenerator {
    /// A number from 0 up to, and without, the bound.
    mutating func number(below bound: Int) -> Int {
        Int(((self.next() >> 32) &* UInt64(bound)) >> 32)
    }

    /// Whether something with this many chances in a thousand happens.
    mutating func happens(perMille chances: Int) -> Bool {
        self.number(below: 1_000) < chances
    }

    /// A time between two others, in nanoseconds.
    mutating func time(from least: Int64, to most: Int64) -> Int64 {
        least + Int64(self.number(below: Int(most - least + 1)))
    }
}
