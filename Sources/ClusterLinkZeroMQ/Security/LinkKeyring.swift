package import ZeroMQ

/// The public keys of everybody who may take part in the links between hosts, and what each may be.
///
/// The same file serves every process: a manager admits who is in it, and a front or scheduler finds the keys of the
/// managers in it. A line is one of
///
/// ```
/// front KEY
/// scheduler KEY
/// member NUMBER KEY
/// ```
///
/// and may end with words that name the owner for people. Empty lines, and those that begin with a number sign, count for
/// nothing.
package struct LinkKeyring: Sendable, Hashable {
    /// How many keys there may be.
    package static let bound = 10_000

    private struct Owner: Hashable {
        var roles: Set<LinkRole> = []
        var member: Int?
    }

    private var owners: [CurveKey: Owner] = [:]
    private var members: [Int: CurveKey] = [:]

    /// Nobody.
    package init() {}

    /// - Parameter path: what errors call the text.
    package init(parsing text: String, path: String) throws(LinkKeyError) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(ProblemWithLine) {
                try self.add(words)
            } catch {
                throw .line(path: path, number: index + 1, reason: error.reason)
            }
        }
    }

    private struct ProblemWithLine: Error {
        let reason: String
    }

    private mutating func add(_ words: [Substring]) throws(ProblemWithLine) {
        guard let role = LinkRole(rawValue: String(words[0])) else {
            throw ProblemWithLine(reason: "expected front, scheduler or member, not \"\(words[0])\"")
        }
        var rest = words.dropFirst()
        var member: Int?
        if role == .member {
            guard let number = rest.popFirst().flatMap({ Int($0) }), number > 0 else {
                throw ProblemWithLine(reason: "expected the member's number, which is 1 or more")
            }
            guard self.members[number] == nil else {
                throw ProblemWithLine(reason: "member \(number) has a key already")
            }
            member = number
        }
        guard let text = rest.first, let key = try? CurveKey(parsing: String(text)) else {
            throw ProblemWithLine(reason: "expected a public key: 40 characters of Z85")
        }
        guard self.owners.count < Self.bound else {
            throw ProblemWithLine(reason: "there are more than \(Self.bound) keys")
        }
        guard member == nil || self.owners[key]?.member == nil else {
            throw ProblemWithLine(reason: "another member has this key")
        }
        self.owners[key, default: Owner()].roles.insert(role)
        if let member {
            self.owners[key]?.member = member
            self.members[member] = key
        }
    }

    /// The public key of a member, whom peers expect at its address.
    package func key(ofMember number: Int) -> CurveKey? {
        self.members[number]
    }

    /// The member whose key this is.
    package func member(of key: CurveKey) -> Int? {
        self.owners[key]?.member
    }

    /// Whether the owner of a key may be this.
    package func has(_ key: CurveKey, as role: LinkRole) -> Bool {
        self.owners[key]?.roles.contains(role) ?? false
    }

    /// Whether a key opens a port.
    package func admits(_ key: CurveKey, to domain: LinkDomain) -> Bool {
        guard let owner = self.owners[key] else { return false }
        return !owner.roles.isDisjoint(with: domain.admitted)
    }
}
