import JobCore

extension Command {
    /// Understands the argument of ACK: an object of strings with a `jid`.
    ///
    /// Upstream reads it into a map of strings, hence a member of another type spoils it all.
    static func acknowledge(_ argument: UnsafeBufferPointer<UInt8>) -> Command {
        guard let text = self.acknowledgedID(argument) else { return .rejected("invalid ACK \(EchoedText(argument))") }
        return .acknowledge(JobID(text))
    }

    private static func acknowledgedID(_ argument: UnsafeBufferPointer<UInt8>) -> String? {
        var id: String?
        var allAreStrings = true
        let isObject = try? JSONScanner.forEachMember(of: argument) { key, value in
            let kind = JSONKind(startingWith: value[0])
            if kind != .string, kind != .null { allAreStrings = false }
            if JSONText.isKey(key, "jid") { id = JSONText.decode(quoted: value) }
        }
        return isObject == true && allAreStrings ? id : nil
    }
}
