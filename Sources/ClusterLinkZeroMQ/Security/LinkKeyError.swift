/// What is wrong with a file of keys.
package enum LinkKeyError: Error, Equatable {
    /// The file cannot be read or written.
    case file(path: String, reason: String)
    /// Others than its owner may read the file of a secret key.
    case exposed(path: String)
    /// A file of that name is there already; a key is never overwritten.
    case exists(path: String)
    /// The file has no key, or more than one.
    case noKey(path: String)
    /// A line says something else than it may.
    case line(path: String, number: Int, reason: String)
    /// The list has no key for this member.
    case unlisted(member: Int)
    /// The list has another key for this member than the one that it holds.
    case otherKey(member: Int)
    /// ZeroMQ cannot make or take a key.
    case unusable(reason: String)
}

extension LinkKeyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .exposed(let path): "\(path): others may read this secret key; give it the mode 0600"
        case .exists(let path): "\(path): is there already, and a key is never overwritten"
        case .noKey(let path): "\(path): holds no key, or more than one; a key is a line of 40 characters of Z85"
        case .line(let path, let number, let reason): "\(path):\(number): \(reason)"
        case .unlisted(let member): "the list of keys has none for member \(member)"
        case .otherKey(let member): "the list of keys has another one for member \(member) than this host holds"
        case .unusable(let reason): "the key cannot be used: \(reason)"
        }
    }
}
