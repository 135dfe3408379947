/// What one walk over a payload finds out: that it is JSON, and where the known fields are.
struct JobScan {
    /// Where the job stands in the buffer, without the white space around it.
    private(set) var range: Range<Int>
    private(set) var kind: JSONKind
    /// Counted from the start of the job.
    private(set) var layout = JobLayout()
    /// Whether a known key is spelt in another case, or comes twice.
    private(set) var needsRewriting = false
    /// The first known field whose value is neither of its type nor null.
    private(set) var mismatch: (field: JobField, found: JSONKind)?
    /// Whether a CR or LF stands between two tokens, here or before, where it would break the line protocol.
    private(set) var hasLineBreaks = false

    /// Walks over the value that is next.
    ///
    /// - Parameter depth: how many arrays and objects are open around it.
    @inline(__always)
    init(from scanner: inout JSONScanner, insideDepth depth: Int) throws(JSONError) {
        let start = scanner.position
        self.range = start..<start
        self.kind = .object
        if try scanner.current() == UInt8(ascii: "{") {
            if try scanner.open(closedBy: UInt8(ascii: "}")) {
                try self.scanMembers(from: &scanner, start: start, insideDepth: depth + 1)
            }
        } else {
            self.kind = try scanner.skipValue(insideDepth: depth)
        }
        self.range = start..<scanner.position
        self.hasLineBreaks = scanner.sawLineBreak
    }

    @inline(__always)
    private mutating func scanMembers(
        from scanner: inout JSONScanner,
        start: Int,
        insideDepth depth: Int
    ) throws(JSONError) {
        repeat {
            let key = UnsafeBufferPointer(rebasing: scanner.bytes[try scanner.scanKey()])
            let valueStart = scanner.position
            let kind = try scanner.skipValue(insideDepth: depth)

            guard let (field, isCanonical) = Self.field(named: key) else { continue }
            if !isCanonical || self.layout[field] != nil { self.needsRewriting = true }
            self.layout[field] = valueStart - start..<scanner.position - start
            if kind != field.kind, kind != .null, self.mismatch == nil { self.mismatch = (field, kind) }
        } while try scanner.continueObject()
    }

    /// The known field with this key, and whether the key is spelt as it should be.
    @inline(__always)
    private static func field(named key: UnsafeBufferPointer<UInt8>) -> (field: JobField, isCanonical: Bool)? {
        if let field = JobField(key: key) { return (field, JobField.isCanonical(key)) }
        guard key.contains(UInt8(ascii: "\\")) else { return nil }
        var decoded = JSONText.decode(key)
        return decoded.withUTF8 { JobField(key: $0) }.map { ($0, false) }
    }

    /// The same object with each known key in its usual spelling and only its last member kept.
    ///
    /// All other bytes stay as they are.
    ///
    /// - Parameter bytes: the job's own bytes, which have been scanned before.
    static func rewrite(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [UInt8] {
        var rewritten: [UInt8] = []
        rewritten.reserveCapacity(bytes.count)
        var lastStarts = [Int](repeating: -1, count: JobField.allCases.count)
        try Self.forEachMember(of: bytes) { field, member, _ in
            if let field { lastStarts[field.rawValue] = member.lowerBound }
        }

        // A member that is cut is never the last one, so its comma goes with it.
        var copied = 0
        var isCutting = false
        try Self.forEachMember(of: bytes) { field, member, key in
            if isCutting { copied = member.lowerBound }
            isCutting = false
            guard let field else { return }
            guard lastStarts[field.rawValue] == member.lowerBound else {
                rewritten.append(contentsOf: bytes[copied..<member.lowerBound])
                copied = member.lowerBound
                isCutting = true
                return
            }
            rewritten.append(contentsOf: bytes[copied..<key.lowerBound])
            rewritten.append(
                contentsOf: UnsafeBufferPointer(start: field.key.utf8Start, count: field.key.utf8CodeUnitCount)
            )
            copied = key.upperBound
        }
        rewritten.append(contentsOf: bytes[copied...])
        return rewritten
    }

    /// Calls the body with each member's known field if it is one, its place, and that of its key's text.
    static func forEachMember(
        of bytes: UnsafeBufferPointer<UInt8>,
        _ body: (_ field: JobField?, _ member: Range<Int>, _ key: Range<Int>) -> Void
    ) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        guard try scanner.open(closedBy: UInt8(ascii: "}")) else { return }
        repeat {
            let start = scanner.position
            let key = try scanner.scanKey()
            try scanner.skipValue(insideDepth: 1)
            let field = Self.field(named: UnsafeBufferPointer(rebasing: bytes[key]))?.field
            body(field, start..<scanner.position, key)
        } while try scanner.continueObject()
    }
}
