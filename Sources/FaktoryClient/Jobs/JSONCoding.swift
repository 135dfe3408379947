import Foundation
import JobCore

/// Between Swift values and the pieces of JSON that a job is made of.
enum JSONCoding {
    /// Writes a value as one line of JSON, the same for the same value.
    static func encode(_ value: some Encodable) throws(FaktoryError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw FaktoryError(.invalidJob, "\(type(of: value)) cannot be written as JSON: \(error)")
        }
    }

    /// Reads a value from one piece of JSON.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from bytes: [UInt8],
        of what: String
    ) throws(FaktoryError) -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw FaktoryError(.undecodableJob, "\(what) is no \(type): \(error)")
        }
    }

    /// The members of an object, or the elements of an array under empty names, each as it stands in `bytes`.
    ///
    /// The text of each is kept, so that no number changes on its way; nil when `bytes` is no such thing.
    static func pieces(of bytes: [UInt8]) -> [(name: String, json: [UInt8])]? {
        bytes.withUnsafeBufferPointer { buffer in
            try? Self.scanPieces(of: buffer)
        }
    }

    private static func scanPieces(
        of bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> [(name: String, json: [UInt8])] {
        var scanner = JSONScanner(bytes)
        scanner.skipWhitespace()
        let opening = try scanner.current()
        guard opening == UInt8(ascii: "{") || opening == UInt8(ascii: "[") else {
            throw JSONError(message: "neither object nor array", offset: scanner.position)
        }
        var check = scanner
        try check.skipValue(insideDepth: 0)
        try check.finish()

        // From here on the text is known to be well formed, so the bytes between two values need only be stepped over.
        var pieces: [(name: String, json: [UInt8])] = []
        while true {
            scanner = JSONScanner(bytes, at: scanner.position + 1)
            scanner.skipWhitespace()
            let first = try scanner.current()
            if first == UInt8(ascii: "}") || first == UInt8(ascii: "]") { return pieces }

            var name = ""
            if opening == UInt8(ascii: "{") {
                let key = try Self.scanValue(&scanner, in: bytes)
                name = JSONText.decode(UnsafeBufferPointer(rebasing: key.dropFirst().dropLast()))
                scanner.skipWhitespace()
                scanner = JSONScanner(bytes, at: scanner.position + 1)
                scanner.skipWhitespace()
            }
            pieces.append((name, Array(try Self.scanValue(&scanner, in: bytes))))
            scanner.skipWhitespace()
            guard try scanner.current() == UInt8(ascii: ",") else { return pieces }
        }
    }

    private static func scanValue(
        _ scanner: inout JSONScanner,
        in bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> Slice<UnsafeBufferPointer<UInt8>> {
        let start = scanner.position
        try scanner.skipValue(insideDepth: 1)
        return bytes[start..<scanner.position]
    }
}
