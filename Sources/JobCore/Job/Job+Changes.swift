extension Job {
    /// Says when the job was made, unless the client did.
    public mutating func setCreatedAtIfMissing(_ time: WallTime) {
        if self.read({ $0.isBlank(.createdAt) }) { self.put(.createdAt, time) }
    }

    /// Says when the job entered its queue; an earlier time is replaced.
    public mutating func markEnqueued(at time: WallTime) {
        self.put(.enqueuedAt, time)
    }

    /// Forgets when the job entered its queue.
    public mutating func removeEnqueuedAt() {
        self.remove(.enqueuedAt)
    }

    /// Writes down a failure; an earlier one is replaced.
    public mutating func record(_ failure: Failure) {
        self.put(.failure) { failure.append(to: &$0) }
    }

    /// Sets one custom value; an earlier one under exactly this key is replaced where it stands.
    ///
    /// - Parameter rawJSON: one JSON value in a text of its own.
    public mutating func setCustom(_ key: String, to rawJSON: [UInt8]) throws(JobRejection) {
        let value = try Self.checked(rawJSON)
        var member: [UInt8] = []
        JSONText.appendQuoted(key, to: &member)
        member.append(UInt8(ascii: ":"))
        member.append(contentsOf: value)
        let byteCount = self.payload.count + member.count + 16
        guard byteCount <= Self.maximumByteCount else { throw .tooLarge(byteCount: byteCount) }

        guard let place = self.placeOfCustomValue(key) else {
            self.put(.custom) {
                $0.append(UInt8(ascii: "{"))
                $0.append(contentsOf: member)
                $0.append(UInt8(ascii: "}"))
            }
            return
        }
        if let old = place.value {
            self.replace(old, with: value)
        } else {
            if !place.isEmpty { member.insert(UInt8(ascii: ","), at: 0) }
            self.replace(place.end..<place.end, with: member)
        }
    }

    /// One JSON value that may stand two levels deep in a payload, without white space around it or line breaks.
    private static func checked(_ rawJSON: [UInt8]) throws(JobRejection) -> [UInt8] {
        do throws(JSONError) {
            return try rawJSON.withUnsafeBufferPointer { (bytes) throws(JSONError) in
                var scanner = JSONScanner(bytes)
                scanner.skipWhitespace()
                let start = scanner.position
                try scanner.skipValue(insideDepth: 2)
                let end = scanner.position
                try scanner.finish()
                return bytes[start..<end].map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
            }
        } catch {
            throw .invalidJSON(error.message)
        }
    }

    /// Where in `custom` a value stands, or could be put in.
    struct CustomPlace {
        /// The last value under the key.
        var value: Range<Int>?
        /// Whether the object has no members.
        var isEmpty: Bool
        /// The object's closing brace.
        var end: Int
    }

    /// Nil when there is no custom object.
    func placeOfCustomValue(_ key: String) -> CustomPlace? {
        guard let range = self.layout[.custom], !self.isNull(range) else { return nil }
        var place = CustomPlace(value: nil, isEmpty: true, end: range.upperBound - 1)
        self.forEachMember(of: range, insideDepth: 1) { name, member, value in
            place.isEmpty = false
            if JSONText.decode(name).hasSameBytes(as: key) { place.value = value }
        }
        return place
    }

    /// The JSON of the custom values under these keys, the last under each; of those that are there and not null.
    ///
    /// Costs a scan of the custom object, and nothing more when it has none of them.
    package func customValues(under keys: [String]) -> [String: ArraySlice<UInt8>] {
        guard let range = self.layout[.custom], !self.isNull(range) else { return [:] }
        var found: [String: ArraySlice<UInt8>] = [:]
        // An object may have a million members: what cannot be one of the keys is passed over by its length.
        let byteCounts = Set(keys.map(\.utf8.count))
        let most = byteCounts.max() ?? 0
        let isKeyLength = (0...most).map { byteCounts.contains($0) }
        self.forEachMember(of: range, insideDepth: 1) { name, _, value in
            let key: String?
            if name.count <= most, isKeyLength[name.count],
                let same = keys.first(where: { $0.utf8.elementsEqual(name) })
            {
                key = same
            } else if name.count <= 6 * most, name.contains(UInt8(ascii: "\\")) {
                // An escaped letter takes six bytes.
                let text = JSONText.decode(name)
                key = keys.first { text.hasSameBytes(as: $0) }
            } else {
                key = nil
            }
            if let key { found[key] = self.isNull(value) ? nil : self.payload[value] }
        }
        return found
    }

    /// Walks over an object of the payload.
    ///
    /// - Parameters:
    ///   - range: the place of the object.
    ///   - depth: how many objects are open around it.
    ///   - body: gets the text between a key's quotes, the place of the member and that of its value.
    private func forEachMember(
        of range: Range<Int>,
        insideDepth depth: Int,
        _ body: (_ key: UnsafeBufferPointer<UInt8>, _ member: Range<Int>, _ value: Range<Int>) -> Void
    ) {
        let result = self.payload.withUnsafeBufferPointer { (bytes) -> Result<Void, JSONError> in
            Result { () throws(JSONError) in
                var scanner = JSONScanner(bytes, at: range.lowerBound)
                guard try scanner.open(closedBy: UInt8(ascii: "}")) else { return }
                repeat {
                    let start = scanner.position
                    let key = try scanner.scanKey()
                    let valueStart = scanner.position
                    try scanner.skipValue(insideDepth: depth + 1)
                    body(
                        UnsafeBufferPointer(rebasing: bytes[key]),
                        start..<scanner.position,
                        valueStart..<scanner.position
                    )
                } while try scanner.continueObject()
            }
        }
        if case .failure(let error) = result { preconditionFailure("a checked payload is no JSON: \(error)") }
    }

    // MARK: Splicing

    private mutating func put(_ field: JobField, _ time: WallTime) {
        self.put(field) {
            $0.append(UInt8(ascii: "\""))
            time.appendRFC3339(to: &$0)
            $0.append(UInt8(ascii: "\""))
        }
    }

    /// Replaces the field's value, or appends a member at the end of the payload, which always has one already.
    @inline(__always)
    mutating func put(_ field: JobField, _ write: (inout [UInt8]) -> Void) {
        if let range = self.layout[field] {
            var value: [UInt8] = []
            write(&value)
            self.replace(range, with: value)
            return
        }
        self.payload.removeLast()
        self.payload.append(contentsOf: ",\"".utf8)
        self.payload.append(
            contentsOf: UnsafeBufferPointer(start: field.key.utf8Start, count: field.key.utf8CodeUnitCount)
        )
        self.payload.append(contentsOf: "\":".utf8)
        let start = self.payload.count
        write(&self.payload)
        self.layout[field] = start..<self.payload.count
        self.payload.append(UInt8(ascii: "}"))
    }

    private mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
        self.payload.replaceSubrange(range, with: bytes)
        self.layout.replace(range, withByteCount: bytes.count)
    }

    /// Cuts the member out together with the comma that belongs to it.
    private mutating func remove(_ field: JobField) {
        guard let value = self.layout[field] else { return }
        var before: Int?
        var cut: Range<Int>?
        var isNext = false
        self.forEachMember(of: 0..<self.payload.count, insideDepth: 0) { _, member, memberValue in
            if isNext { cut = cut.map { $0.lowerBound..<member.lowerBound } }
            isNext = false
            if memberValue == value {
                // The first member goes with the comma after it, any other with the one before it.
                cut = (before ?? member.lowerBound)..<member.upperBound
                isNext = before == nil
            }
            before = member.upperBound
        }
        guard let cut else { return }
        self.layout[field] = nil
        self.replace(cut, with: [])
    }

    /// Turns CR and LF into spaces: in a payload that has been scanned they stand between tokens only.
    mutating func replaceLineBreaks() {
        for index in self.payload.indices where self.payload[index] == 0x0A || self.payload[index] == 0x0D {
            self.payload[index] = 0x20
        }
    }
}
