import JobCore

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Job {
    init(_ text: String) throws(JobRejection) {
        try self.init(parsing: Array(text.utf8))
    }

    var text: String { String(decoding: self.payload, as: UTF8.self) }
}

extension Optional where Wrapped == ArraySlice<UInt8> {
    var text: String? { self.map { String(decoding: $0, as: UTF8.self) } }
}

/// A payload with these members after those that a job must have.
func payload(_ members: String = "") -> String {
    let rest = members.isEmpty ? "" : "," + members
    return #"{"jid":"order-000017","jobtype":"ShipOrder","args":[17]"# + rest + "}"
}
