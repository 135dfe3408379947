import JobCore
package import NIOCore

/// How a client introduces itself, in answer to the greeting.
///
/// Everything is optional; clients send `null` for what they have not got, and keys of their own, which are ignored.
package struct Hello: Equatable, Sendable {
    /// The longest line that is looked at, in bytes without its line end.
    package static let maximumByteCount = 65_536
    /// The most labels that a worker may have.
    package static let maximumLabelCount = 64
    /// The longest text that any field may hold, in bytes.
    package static let maximumTextByteCount = 1024

    /// The version of the protocol that the client speaks; 0 when it does not say.
    package var version: UInt8
    /// The answer to the password challenge.
    package var passwordHash: String?
    /// The worker process to which the connection belongs; nil for a producer. Never empty.
    package var workerID: String?
    /// The host on which the client runs.
    package var hostname: String?
    /// The client's process on that host.
    package var processID: Int?
    /// What a worker is known by, for people.
    package var labels: [String]
    /// For proxies that route by user; servers ignore it.
    package var username: String?
    /// Resident memory of the client, in KiB.
    package var residentKilobytes: Int?

    package init(
        version: UInt8 = UInt8(Greeting.protocolVersion),
        passwordHash: String? = nil,
        workerID: String? = nil,
        hostname: String? = nil,
        processID: Int? = nil,
        labels: [String] = [],
        username: String? = nil,
        residentKilobytes: Int? = nil
    ) {
        self.version = version
        self.passwordHash = passwordHash
        self.workerID = workerID
        self.hostname = hostname
        self.processID = processID
        self.labels = labels
        self.username = username
        self.residentKilobytes = residentKilobytes
    }
}

extension Hello {
    /// Reads a line without its line end.
    ///
    /// Nil when the connection is to be closed without a word: the line does not start with `HELLO {`, is no JSON
    /// object, has a known field of the wrong type or a version outside 0–255, or goes beyond a bound above.
    package init?(parsing line: some Collection<UInt8>) {
        guard line.starts(with: "HELLO {".utf8), line.count <= Self.maximumByteCount,
            let document = try? JSONValue(parsing: line.dropFirst("HELLO ".utf8.count))
        else { return nil }

        var reader = FieldReader(document: document)
        let version = reader.integer("v") ?? 0
        let workerID = reader.text("wid")
        self.init(
            version: UInt8(clamping: version),
            passwordHash: reader.text("pwdhash"),
            workerID: workerID == "" ? nil : workerID,
            hostname: reader.text("hostname"),
            processID: reader.integer("pid"),
            labels: reader.texts("labels"),
            username: reader.text("username"),
            residentKilobytes: reader.integer("rss_kb")
        )
        guard reader.isAcceptable, Int(self.version) == version else { return nil }
    }

    /// Takes known fields out of an object, and remembers whether one of them could not be taken.
    private struct FieldReader {
        let document: JSONValue
        private(set) var isAcceptable = true

        init(document: JSONValue) {
            self.document = document
        }

        mutating func integer(_ name: String) -> Int? {
            self.value(name) { $0.integer }
        }

        mutating func text(_ name: String) -> String? {
            self.value(name) { Self.bounded($0.string) }
        }

        mutating func texts(_ name: String) -> [String] {
            let texts = self.value(name) { value -> [String]? in
                guard let texts = value.strings, texts.count <= Hello.maximumLabelCount else { return nil }
                return texts.allSatisfy { Self.bounded($0) != nil } ? texts : nil
            }
            return texts ?? []
        }

        private mutating func value<Value>(_ name: String, _ convert: (JSONValue) -> Value?) -> Value? {
            guard let field = self.document.field(name) else { return nil }
            let value = convert(field)
            if value == nil { self.isAcceptable = false }
            return value
        }

        private static func bounded(_ text: String?) -> String? {
            guard let text, text.utf8.count <= Hello.maximumTextByteCount else { return nil }
            return text
        }
    }
}

extension Hello {
    /// Appends the line as a client sends it, line end included; what is absent is left out.
    package func write(to buffer: inout ByteBuffer) {
        var members: [JSONValue.Member] = []
        func add(_ key: String, _ value: JSONValue?) {
            guard let value else { return }
            members.append(JSONValue.Member(key: key, value: value))
        }
        add("hostname", self.hostname.map(JSONValue.string))
        add("wid", self.workerID.map(JSONValue.string))
        add("pid", self.processID.map { .number(String($0)) })
        add("rss_kb", self.residentKilobytes.map { .number(String($0)) })
        add("labels", self.labels.isEmpty ? nil : .array(self.labels.map(JSONValue.string)))
        add("username", self.username.map(JSONValue.string))
        add("pwdhash", self.passwordHash.map(JSONValue.string))
        add("v", .number(String(self.version)))

        buffer.writeStaticString("HELLO ")
        buffer.writeBytes(JSONValue.object(members).encoded)
        buffer.writeStaticString("\r\n")
    }
}
