import Foundation

/// The password that the manager of a host shows the Redis of the same host.
///
/// It is made up at the first start and kept in the storage directory, for our user only; it never leaves the host.
struct HostPassword {
    /// Why there is none; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let name = "millrace-redis.password"
    private static let wordCount = 4

    private let path: String

    init(directory: String) {
        self.path = directory + "/" + Self.name
    }

    /// What `make()` has written.
    func read() throws -> String {
        guard let text = try? String(contentsOfFile: self.path, encoding: .utf8), !text.isEmpty else {
            throw Failure(description: "\(self.path) cannot be read; millrace host writes it when it starts")
        }
        return text
    }

    /// The password, made up if there is none yet.
    func make() throws -> String {
        if let text = try? self.read() { return text }
        let words = (0..<Self.wordCount).map { _ in UInt64.random(in: .min ... .max) }
        let password = words.map { String($0, radix: 36) }.joined(separator: "-")
        let draft = self.path + ".new"
        unlink(draft)
        guard
            FileManager.default.createFile(
                atPath: draft,
                contents: Data(password.utf8),
                attributes: [.posixPermissions: 0o600]
            ), rename(draft, self.path) == 0
        else {
            throw Failure(description: "\(self.path) cannot be written: \(String(cString: strerror(errno)))")
        }
        return password
    }
}
