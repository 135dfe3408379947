import Glibc
package import ZeroMQ

/// Keys in files: a secret key in one that only its owner may read, the public one beside it.
///
/// A file holds one line of 40 characters; lines that begin with a number sign, and empty ones, count for nothing. No key
/// begins with one: a group of five characters would be a greater number than its four bytes hold.
package enum LinkKeyFile {
    /// How long a file of keys may be.
    static let byteBound = 1 << 20
    /// What the name of the public key's file has at its end.
    package static let publicSuffix = ".pub"

    /// Makes a new pair: the secret key at the path, with mode 0600, the public one at the path with `.pub` behind it.
    ///
    /// Files that are there are never touched.
    package static func generate(at path: String) throws(LinkKeyError) -> CurveKeyPair {
        let keys: CurveKeyPair
        do {
            keys = try CurveKeyPair.generate()
        } catch {
            throw .unusable(reason: "\(error)")
        }
        let secret =
            "# The secret key of a link. Whoever has it can be what its owner may be.\n\(keys.secretKey.text)\n"
        try Self.create(path, mode: 0o600, secret)
        do {
            try Self.create(path + Self.publicSuffix, mode: 0o644, "\(keys.publicKey.text)\n")
        } catch {
            unlink(path)
            throw error
        }
        return keys
    }

    /// The pair of the secret key in a file that only its owner may read.
    package static func keys(at path: String) throws(LinkKeyError) -> CurveKeyPair {
        let text = try Self.read(path, isSecret: true)
        do {
            return try CurveKeyPair(secretKey: try Self.key(in: text, path))
        } catch let error as LinkKeyError {
            throw error
        } catch {
            throw .unusable(reason: "\(error)")
        }
    }

    /// The allow-list in a file.
    package static func keyring(at path: String) throws(LinkKeyError) -> LinkKeyring {
        try LinkKeyring(parsing: try Self.read(path, isSecret: false), path: path)
    }

    private static func key(in text: String, _ path: String) throws(LinkKeyError) -> CurveKey {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
        guard lines.count == 1, let key = try? CurveKey(parsing: String(lines[0])) else { throw .noKey(path: path) }
        return key
    }

    private static func create(_ path: String, mode: mode_t, _ text: String) throws(LinkKeyError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            throw errno == EEXIST ? .exists(path: path) : .file(path: path, reason: Self.lastError)
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        // So few bytes are written at once or, on a full disk, not at all.
        guard fchmod(descriptor, mode) == 0, write(descriptor, bytes, bytes.count) == bytes.count,
            fsync(descriptor) == 0
        else {
            let reason = Self.lastError
            unlink(path)
            throw .file(path: path, reason: reason)
        }
    }

    private static func read(_ path: String, isSecret: Bool) throws(LinkKeyError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, reason: Self.lastError) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(path: path, reason: Self.lastError) }
        guard !isSecret || status.st_mode & 0o077 == 0 else { throw .exposed(path: path) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path: path, reason: Self.lastError) }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: piece[..<count])
            guard bytes.count <= Self.byteBound else {
                throw .file(path: path, reason: "is longer than \(Self.byteBound) bytes")
            }
        }
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
