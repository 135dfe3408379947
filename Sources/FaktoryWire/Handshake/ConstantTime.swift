/// Comparisons whose time does not tell where two secrets differ.
package enum ConstantTime {
    /// Whether the bytes are the same; only their number may be learnt from how long it takes.
    package static func areEqual(_ expected: [UInt8], _ given: [UInt8]) -> Bool {
        guard expected.count == given.count else { return false }
        var difference: UInt8 = 0
        for index in expected.indices {
            difference |= expected[index] ^ given[index]
        }
        return difference == 0
    }
}
