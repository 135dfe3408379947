import ClusterLink

extension MessageToLeader {
    init(decoding bytes: [UInt8]) throws(LinkFormatError) {
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(LinkFormatError) in
            try MessageToLeader(decoding: UnsafeRawBufferPointer(bytes))
        }
    }
}

extension MessageFromLeader {
    init(decoding bytes: [UInt8]) throws(LinkFormatError) {
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(LinkFormatError) in
            try MessageFromLeader(decoding: UnsafeRawBufferPointer(bytes))
        }
    }
}

/// Either kind of message as its bytes go out and come in, for what is the same with both.
struct Wire: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    /// Reads a message and writes it again.
    let recode: @Sendable ([UInt8]) throws(LinkFormatError) -> [UInt8]

    static let samples: [Wire] =
        MessageToLeader.samples.map { sample in
            Wire(description: "to-leader-\(sample.name)", bytes: sample.message.encoded()) {
                (bytes) throws(LinkFormatError) in try MessageToLeader(decoding: bytes).encoded()
            }
        }
        + MessageFromLeader.samples.map { sample in
            Wire(description: "from-leader-\(sample.name)", bytes: sample.message.encoded()) {
                (bytes) throws(LinkFormatError) in try MessageFromLeader(decoding: bytes).encoded()
            }
        }
}
