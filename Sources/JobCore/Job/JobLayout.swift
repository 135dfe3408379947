/// Where the values of the known fields stand in a payload.
///
/// Two vectors, so that all places move at once when bytes before them come or go.
struct JobLayout: Sendable {
    private var starts = SIMD16<UInt32>()
    private var ends = SIMD16<UInt32>()

    /// The place of the field's value; nil when the payload has no such member.
    @inline(__always)
    subscript(field: JobField) -> Range<Int>? {
        get {
            let end = self.ends[field.rawValue]
            return end == 0 ? nil : Int(self.starts[field.rawValue])..<Int(end)
        }
        set {
            self.starts[field.rawValue] = UInt32(newValue?.lowerBound ?? 0)
            self.ends[field.rawValue] = UInt32(newValue?.upperBound ?? 0)
        }
    }

    /// Follows an edit that put `count` bytes in the place of `range`.
    mutating func replace(_ range: Range<Int>, withByteCount count: Int) {
        let edge = SIMD16<UInt32>(repeating: UInt32(range.upperBound))
        let change = SIMD16<UInt32>(repeating: UInt32(truncatingIfNeeded: count - range.count))
        self.starts.replace(with: self.starts &+ change, where: self.starts .>= edge)
        self.ends.replace(with: self.ends &+ change, where: self.ends .>= edge)
    }
}
