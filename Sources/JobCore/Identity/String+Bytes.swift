extension String {
    /// Whether the bytes are the same, which is a stricter question than `==` asks: `é` can be written in two ways.
    func hasSameBytes(as other: String) -> Bool {
        self.utf8.count == other.utf8.count && self.utf8.elementsEqual(other.utf8)
    }

    /// Feeds the bytes to a hasher; texts of the same bytes feed the same.
    func hashBytes(into hasher: inout Hasher) {
        var text = self
        // Borrows what is there but for a text that is not stored in UTF-8, which is copied.
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
