/// A number about to be written in decimal digits, which knows how many characters it takes.
struct DecimalDigits {
    /// The most characters that a number takes: `Int.min` has nineteen digits and a sign.
    static let limit = 20

    private let magnitude: UInt
    private let isNegative: Bool
    /// Characters, the sign included.
    let count: Int

    init(_ number: Int) {
        self.magnitude = number.magnitude
        self.isNegative = number < 0
        var count = 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        self.count = self.isNegative ? count + 1 : count
    }

    /// Writes the characters to a place that has exactly `count` bytes.
    func write(to target: UnsafeMutableRawBufferPointer) {
        var rest = self.magnitude
        var index = self.count
        repeat {
            index -= 1
            target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if self.isNegative { target[0] = UInt8(ascii: "-") }
    }
}
