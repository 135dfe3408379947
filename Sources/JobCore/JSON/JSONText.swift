/// Turning the text between two quotes into characters and back.
package enum JSONText {
    /// Decodes the inside of a string that a scanner has checked; a lone surrogate becomes U+FFFD.
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }

        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                decoded.append(bytes[index])
                index += 1
                continue
            }
            index = self.decodeEscape(at: index, of: bytes, into: &decoded)
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Decodes a whole string value with its quotes, already checked; nil when the value is no string.
    package static func decode(quoted value: UnsafeBufferPointer<UInt8>) -> String? {
        guard value.first == UInt8(ascii: "\"") else { return nil }
        return self.decode(UnsafeBufferPointer(rebasing: value[1..<value.count - 1]))
    }

    private static func decodeEscape(
        at index: Int,
        of bytes: UnsafeBufferPointer<UInt8>,
        into decoded: inout [UInt8]
    ) -> Int {
        switch bytes[index + 1] {
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            let high = self.codeUnit(at: index + 2, of: bytes)
            if high & 0xFC00 == 0xD800, let low = self.lowSurrogate(at: index + 6, of: bytes) {
                self.append(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), to: &decoded)
                return index + 12
            }
            self.append(high, to: &decoded)
            return index + 6
        case let byte: decoded.append(byte)
        }
        return index + 2
    }

    private static func codeUnit(at index: Int, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        (index..<index + 4).reduce(0) { $0 << 4 | (HexadecimalDigits.value(of: bytes[$1]) ?? 0) }
    }

    private static func lowSurrogate(at index: Int, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let unit = self.codeUnit(at: index + 2, of: bytes)
        return unit & 0xFC00 == 0xDC00 ? unit : nil
    }

    private static func append(_ codePoint: UInt32, to decoded: inout [UInt8]) {
        let scalar = Unicode.Scalar(codePoint) ?? "\u{FFFD}"
        decoded.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// Appends `text` as a JSON string, quotes included; only what JSON demands is escaped.
    package static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: HexadecimalDigits.text(of: byte).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether a key is the name but for the case of ASCII letters, which is how upstream matches known keys.
    package static func keysMatch(_ key: String, _ name: String) -> Bool {
        key.utf8.count == name.utf8.count
            && zip(key.utf8, name.utf8).allSatisfy { self.lowercased($0) == self.lowercased($1) }
    }

    /// Whether the text between a key's quotes spells a name, which is in lower case, whatever its case and escapes.
    package static func isKey(_ key: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        if key.contains(UInt8(ascii: "\\")) { return self.keysMatch(self.decode(key), "\(name)") }
        guard key.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<key.count where self.lowercased(key[index]) != name.utf8Start[index] { return false }
        return true
    }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}
