import Foundation

/// A new, empty directory that is removed with everything in it when it is let go.
///
/// Its path is short enough for Unix sockets.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/millrace-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestSupportError.system(call: "mkdtemp", code: errno) }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The path of a file in the directory.
    package func file(_ name: String) -> String {
        "\(self.path)/\(name)"
    }
}
