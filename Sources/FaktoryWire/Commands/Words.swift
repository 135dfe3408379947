/// The words of an argument, separated by single spaces.
struct Words {
    /// In their order, the empty ones between two spaces and at the ends left out.
    let texts: [String]

    /// Nil when there are more words than allowed.
    init?(_ argument: UnsafeBufferPointer<UInt8>, maximumCount: Int) {
        var texts: [String] = []
        var start = 0
        while start < argument.count {
            let end = argument[start...].firstIndex(of: UInt8(ascii: " ")) ?? argument.count
            if end > start {
                guard texts.count < maximumCount else { return nil }
                texts.append(String(decoding: argument[start..<end], as: UTF8.self))
            }
            start = end + 1
        }
        self.texts = texts
    }
}
