/// Reads the known fields of a payload that has been scanned and needs no rewriting.
struct JobReader {
    /// The job's own bytes.
    let bytes: UnsafeBufferPointer<UInt8>
    let layout: JobLayout

    /// The bytes of the field's value; nil when it is absent or null.
    @inline(__always)
    func value(_ field: JobField) -> UnsafeBufferPointer<UInt8>? {
        guard let range = self.layout[field], self.bytes[range.lowerBound] != UInt8(ascii: "n") else { return nil }
        return UnsafeBufferPointer(rebasing: self.bytes[range])
    }

    /// Whether a string is absent, null or empty.
    @inline(__always)
    func isBlank(_ field: JobField) -> Bool {
        self.value(field).map { $0.count <= 2 } ?? true
    }

    /// The decoded text of a string; nil when it is absent, null or empty.
    @inline(__always)
    func text(_ field: JobField) -> String? {
        guard let value = self.value(field), value.count > 2 else { return nil }
        return JSONText.decode(quoted: value)
    }

    /// The time in a string; nil when it is absent, null, empty or no time stamp.
    func time(_ field: JobField) -> WallTime? {
        guard let value = self.value(field), value.count > 2 else { return nil }
        if let time = WallTime(rfc3339: UnsafeBufferPointer(rebasing: value[1..<value.count - 1])) { return time }
        guard value.contains(UInt8(ascii: "\\")) else { return nil }
        return self.text(field).flatMap { WallTime(rfc3339: $0) }
    }

    /// The value of a number; nil when it is absent or null.
    ///
    /// A fraction, an exponent, or an integer beyond the range is an error, as in Go.
    @inline(__always)
    func integer(_ field: JobField, in range: ClosedRange<Int>) throws(JobRejection) -> Int? {
        guard let digits = self.value(field) else { return nil }
        guard let integer = Self.integer(digits), range.contains(integer) else {
            throw Self.mismatch(of: "number \(String(decoding: digits, as: UTF8.self))", in: field)
        }
        return integer
    }

    @inline(__always)
    private static func integer(_ digits: UnsafeBufferPointer<UInt8>) -> Int? {
        let isNegative = digits[0] == UInt8(ascii: "-")
        var integer = 0
        for index in (isNegative ? 1 : 0)..<digits.count {
            let digit = Int(digits[index]) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(digit) else { return nil }
            let (product, tooLarge) = integer.multipliedReportingOverflow(by: 10)
            let (sum, overflow) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else { return nil }
            integer = sum
        }
        return integer
    }

    /// The failure; nil when it is absent or null.
    func failure() throws(JobRejection) -> Failure? {
        guard let value = self.value(.failure) else { return nil }
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: value)
        } catch {
            throw .invalidJSON(error.message)
        }
        return try Failure(document)
    }

    /// A value of the wrong type, in the words of Go's decoder.
    @inline(never)
    static func mismatch(of found: String, in field: JobField) -> JobRejection {
        .invalidJSON("json: cannot unmarshal \(found) into Go struct field Job.\(field.key) of type \(field.goType)")
    }
}
