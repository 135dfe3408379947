/// A generator that gives the same numbers for the same seed, on every machine (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

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
