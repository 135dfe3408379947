import JobCore

/// Takes the jids out of the argument of MUTATE, of which there may be a million, without making a string of each.
///
/// What is left is a short document in which the list has become an empty array, or one that has a single element of the
/// wrong kind in the place of the first such element.
struct NamedJobsWalk {
    private let document: UnsafeBufferPointer<UInt8>
    /// The jids of the last list.
    private(set) var names = JobIDList()
    /// The document without them.
    private(set) var rest: [UInt8] = []
    private var copied = 0

    init(_ document: UnsafeBufferPointer<UInt8>) {
        self.document = document
    }

    mutating func run() throws(JSONError) {
        var scanner = JSONScanner(self.document)
        scanner.skipWhitespace()
        if try scanner.current() == UInt8(ascii: "{") {
            try self.walkObject(&scanner, insideDepth: 0)
        } else {
            try scanner.skipValue(insideDepth: 0)
        }
        try scanner.finish()
        self.rest.append(contentsOf: self.document[self.copied...])
    }

    private mutating func walkObject(_ scanner: inout JSONScanner, insideDepth depth: Int) throws(JSONError) {
        guard try scanner.open(closedBy: UInt8(ascii: "}")) else { return }
        repeat {
            let key = JSONText.decode(UnsafeBufferPointer(rebasing: self.document[try scanner.scanKey()]))
            let first = try scanner.current()
            if depth == 0, first == UInt8(ascii: "{"), JSONText.keysMatch(key, "filter") {
                try self.walkObject(&scanner, insideDepth: 1)
            } else if depth == 1, first == UInt8(ascii: "["), JSONText.keysMatch(key, "jids") {
                try self.takeNames(&scanner)
            } else {
                try scanner.skipValue(insideDepth: depth + 1)
            }
        } while try scanner.continueObject()
    }

    private mutating func takeNames(_ scanner: inout JSONScanner) throws(JSONError) {
        self.rest.append(contentsOf: self.document[self.copied..<scanner.position])
        self.rest.append(UInt8(ascii: "["))
        self.names = JobIDList()
        var isOfStrings = true
        if try scanner.open(closedBy: UInt8(ascii: "]")) {
            repeat {
                let start = scanner.position
                let kind = try scanner.skipValue(insideDepth: 3)
                switch kind {
                case .string:
                    self.takeName(UnsafeBufferPointer(rebasing: self.document[start + 1..<scanner.position - 1]))
                case .null:
                    self.takeName(UnsafeBufferPointer(rebasing: self.document[start..<start]))
                case .bool, .number, .array, .object:
                    if isOfStrings { self.rest.append(UInt8(ascii: "0")) }
                    isOfStrings = false
                }
            } while try scanner.continueArray()
        }
        self.rest.append(UInt8(ascii: "]"))
        self.copied = scanner.position
    }

    private mutating func takeName(_ text: UnsafeBufferPointer<UInt8>) {
        if text.contains(UInt8(ascii: "\\")) {
            self.names.append(JSONText.decode(text))
        } else {
            self.names.append(UnsafeRawBufferPointer(text))
        }
    }
}
