extension Job {
    /// The known fields in upstream's order of keys, without white space, those that are empty left out.
    ///
    /// Users write patterns such as `*"args":["fizz"]*` for this form; what is stored is the client's own.
    package var upstreamRendering: [UInt8] {
        var rendering: [UInt8] = [UInt8(ascii: "{")]
        rendering.reserveCapacity(self.payload.count)
        for field in JobField.allCases {
            guard let range = self.layout[field] else { continue }
            let mark = rendering.count
            if mark > 1 { rendering.append(UInt8(ascii: ",")) }
            rendering.append(UInt8(ascii: "\""))
            rendering.append(contentsOf: "\(field.key)".utf8)
            rendering.append(contentsOf: "\":".utf8)
            let start = rendering.count
            Self.appendCompact(self.payload[range], to: &rendering)
            if field.isLeftOutWhenEmpty, Self.isEmpty(rendering[start...]) {
                rendering.removeSubrange(mark...)
            }
        }
        rendering.append(UInt8(ascii: "}"))
        return rendering
    }

    private static func appendCompact(_ value: ArraySlice<UInt8>, to rendering: inout [UInt8]) {
        var isInString = false
        var isEscaped = false
        for byte in value {
            if !isInString, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { continue }
            rendering.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            }
        }
    }

    private static func isEmpty(_ value: ArraySlice<UInt8>) -> Bool {
        ["null", "\"\"", "0", "{}"].contains { value.elementsEqual($0.utf8) }
    }
}

extension JobField {
    /// Whether upstream leaves the member out when it has nothing to say.
    fileprivate var isLeftOutWhenEmpty: Bool {
        switch self {
        case .failure, .custom, .createdAt, .enqueuedAt, .at, .reserveFor, .backtrace: true
        case .retry, .id, .queue, .type, .arguments: false
        }
    }
}
