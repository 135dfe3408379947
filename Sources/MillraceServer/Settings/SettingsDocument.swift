import TOMLKit

/// One TOML document, made of one file or of several that are read as one.
///
/// Faktory concatenates the files of `conf.d` and parses the whole, so that arrays of tables add up across files and a
/// plain table may be in one of them only. This does the same, and finds the file and the line again for each error.
package struct SettingsDocument: Sendable {
    /// A file and the line of the document on which it begins.
    private struct Part: Sendable {
        let path: String
        let firstLine: Int
    }

    /// A mistake with its place.
    package struct Failure: Error, Equatable {
        package let origin: SettingOrigin
        package let reason: String
    }

    private let parts: [Part]
    private let lines: TOMLKeyLines
    /// The document's keys and tables.
    package let root: [String: SettingValue]

    /// Parses files, in their order, as one document.
    package init(_ files: [(path: String, content: [UInt8])]) throws(Failure) {
        var parts: [Part] = []
        var document = ""
        var line = 1
        for (path, content) in files {
            let text = try Self.text(of: content, path: path)
            parts.append(Part(path: path, firstLine: line))
            document += text + "\n"
            line += text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        }
        self.parts = parts
        self.lines = TOMLKeyLines(document)
        if let mistake = self.lines.mistake {
            throw Failure(origin: Self.origin(ofLine: mistake.line, in: parts), reason: mistake.reason)
        }
        do {
            self.root = Self.values(of: try TOMLTable(string: document))
        } catch let error as TOMLParseError {
            let origin = Self.origin(ofLine: error.source.begin.line, in: parts)
            throw Failure(origin: origin, reason: Self.oneLine(error.description))
        } catch {
            throw Failure(origin: Self.origin(ofLine: 1, in: parts), reason: Self.oneLine("\(error)"))
        }
    }

    /// The file and line of a key.
    package func origin(of path: [String]) -> SettingOrigin {
        Self.origin(ofLine: self.lines.line(of: path), in: self.parts)
    }

    private static func origin(ofLine line: Int, in parts: [Part]) -> SettingOrigin {
        guard let part = parts.last(where: { $0.firstLine <= line }) ?? parts.first else { return .builtIn }
        return .file(path: part.path, line: line - part.firstLine + 1)
    }

    private static func text(of content: [UInt8], path: String) throws(Failure) -> String {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = content.starts(with: byteOrderMark) ? content.dropFirst(byteOrderMark.count) : content[...]
        if let zero = content.firstIndex(of: 0) {
            let line = content[..<zero].count { $0 == UInt8(ascii: "\n") } + 1
            throw Failure(origin: .file(path: path, line: line), reason: "contains a zero byte")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Failure(origin: .file(path: path, line: 1), reason: "is not valid UTF-8")
        }
        return text
    }

    private static func values(of table: TOMLTable) -> [String: SettingValue] {
        var values: [String: SettingValue] = [:]
        for key in table.keys {
            if let value = table[key] { values[key] = Self.value(of: value) }
        }
        return values
    }

    private static func value(of value: any TOMLValueConvertible) -> SettingValue {
        if let text = value.string { return .text(text) }
        if let number = value.int { return .integer(number) }
        if let number = value.double { return .decimal(number) }
        if let flag = value.bool { return .boolean(flag) }
        if let array = value.array {
            return .list((0..<array.count).map { Self.value(of: array[$0]) })
        }
        if let table = value.table { return .table(Self.values(of: table)) }
        return .other(value.type.description)
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
