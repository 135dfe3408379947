/// A host and a port, as `127.0.0.1:7419`, `[::1]:7419`, `localhost:7419` or `:7419`.
package struct HostPort: Sendable, Hashable {
    /// A name or an address, an IPv6 one without brackets; empty for every interface.
    package var host: String
    /// 0 lets the system choose when listening.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads the text after the rules above; `nil` when it does not follow them.
    package init?(parsing text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            host = String(host.dropFirst().dropLast())
            guard host.utf8.allSatisfy({ Self.isHostByte($0) || $0 == 0x3A || $0 == 0x25 }) else { return nil }
        } else {
            guard host.utf8.allSatisfy(Self.isHostByte) else { return nil }
        }
        self.init(host: host, port: port)
    }

    /// Letters, digits, dots, hyphens and underscores.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

extension HostPort: CustomStringConvertible {
    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
