/// A version of etcd, as it tells it.
package struct EtcdVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int

    /// The first versions without the holes that are known: who may connect may read the names of keys (CVE-2023-32082), or
    /// what others wrote to the debugging pages (CVE-2021-28235).
    private static let mended = [EtcdVersion(3, 4, 26), EtcdVersion(3, 5, 9)]

    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Reads `3.4.23`, or `3.6.0-rc.1`.
    package init?(parsing text: String) {
        let numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else {
            return nil
        }
        self.init(major, minor, patch)
    }

    package var description: String { "\(self.major).\(self.minor).\(self.patch)" }

    package static func < (left: EtcdVersion, right: EtcdVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// What is wrong with this version, and which are good; nil for a good one.
    package var advice: String? {
        let isMended =
            switch (self.major, self.minor) {
            case (3, 4): self >= Self.mended[0]
            case (3, 5): self >= Self.mended[1]
            default: self > Self.mended[1]
            }
        guard !isMended else { return nil }
        return "etcd \(self) has holes that are known; 3.4.26, 3.5.9 and whatever is later in each line have not"
    }
}
