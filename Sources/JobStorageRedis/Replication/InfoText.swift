import JobCore

/// The answer to `INFO`: lines of a name, a colon and a value.
struct InfoText {
    private let values: [Substring: Substring]
    private let text: String

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        let pairs = lines.compactMap { line -> (Substring, Substring)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon], line[line.index(after: colon)...])
        }
        self.text = text
        self.values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    subscript(name: String) -> Substring? { self.values[Substring(name)] }

    func number(_ name: String) -> UInt64? { self[name].flatMap { UInt64($0) } }

    /// Whether the value is `1`.
    func flag(_ name: String) -> Bool { self[name] == "1" }

    /// The replicas that are connected, `slave0` and so on.
    var replicas: [ConnectedReplica] {
        let count = self.number("connected_slaves") ?? 0
        return (0..<count).compactMap { index in self["slave\(index)"].flatMap { ConnectedReplica(parsing: $0) } }
    }
}

extension ConnectedReplica {
    /// Reads `ip=…,port=…,state=…,offset=…,lag=…`.
    init?(parsing line: Substring) {
        var fields: [Substring: Substring] = [:]
        for field in line.split(separator: ",") {
            guard let sign = field.firstIndex(of: "=") else { continue }
            fields[field[..<sign]] = field[field.index(after: sign)...]
        }
        guard let host = fields["ip"], let port = fields["port"].flatMap({ Int($0) }) else { return nil }
        guard let offset = fields["offset"].flatMap({ UInt64($0) }) else { return nil }
        self.address = RedisAddress(host: String(host), port: port)
        self.isOnline = fields["state"] == "online"
        self.acknowledgedOffset = offset
        self.silence = fields["lag"].flatMap { Int64($0) }.map { .seconds($0) }
    }
}
