/// A document in TOML 1.0 (<https://toml.io/en/v1.0.0>), with the line of each of its keys.
///
/// Whatever the text is, reading it ends in a document or in a mistake with its line. Dates and times are checked, and
/// kept as no more than their kind: no setting takes one.
struct TOMLDocument: Sendable {
    /// The document's keys and tables.
    let root: [String: SettingValue]
    private let lines: [[String]: Int]

    /// Reads a document.
    init(_ text: String) throws(TOMLMistake) {
        var reader = TOMLReader(text)
        self.root = try reader.readDocument().values
        self.lines = reader.lines
    }

    /// The line of a key or table, or of the nearest one round it; 1 when nothing round it is known.
    ///
    /// What is there several times, as an array of tables is, counts as standing where it was first seen.
    func line(of path: [String]) -> Int {
        var path = path[...]
        while !path.isEmpty {
            if let line = self.lines[Array(path)] { return line }
            path.removeLast()
        }
        return 1
    }
}
