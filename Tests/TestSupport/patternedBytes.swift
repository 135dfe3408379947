/// Bytes in which a piece that is missing, doubled or out of place shows.
package func patternedBytes(_ count: Int) -> [UInt8] {
    // The length of the pattern is a prime, so that no buffer's size is a multiple of it.
    let pattern = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + pattern.count)
    while bytes.count < count { bytes += pattern }
    bytes.removeLast(bytes.count - count)
    return bytes
}
