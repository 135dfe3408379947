import Foundation

/// A 64-bit number as etcd's JSON has it: in quotes, and left out when it is 0.
struct QuotedNumber: Codable {
    let value: Int64

    init(_ value: Int64) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Int64(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no number")
        }
        self.value = value
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(self.value))
    }
}

extension QuotedNumber? {
    /// The number; 0 if it was left out.
    var number: Int64 { self?.value ?? 0 }
    /// A revision; etcd has no negative ones.
    var revision: UInt64 { UInt64(clamping: self.number) }
}

// MARK: - Requests

/// What is sent to etcd; `Data` goes over the wire in base64.
enum EtcdRequest {
    struct Authenticate: Encodable {
        var name: String
        var password: String
    }

    struct Grant: Encodable {
        // The names are etcd's.
        var TTL: QuotedNumber
    }

    struct Lease: Encodable {
        var ID: QuotedNumber
    }

    struct Range: Encodable {
        var key: Data
        var range_end: Data?
        var limit: QuotedNumber?
    }

    struct Watch: Encodable {
        struct Create: Encodable {
            var key: Data
            var range_end: Data
            var start_revision: QuotedNumber
        }

        var create_request: Create
    }

    struct Transaction: Encodable {
        var compare: [Comparison]
        var success: [Operation]
        var failure: [Operation]
    }

    struct Comparison: Encodable {
        var key: Data
        var target: String
        var result = "EQUAL"
        var create_revision: QuotedNumber?
        var mod_revision: QuotedNumber?

        init(_ condition: EtcdCondition) {
            switch condition {
            case .isAbsent(let key):
                self.key = Data(key.utf8)
                self.target = "CREATE"
                self.create_revision = QuotedNumber(0)
            case .wasCreated(let key, let revision):
                self.key = Data(key.utf8)
                self.target = "CREATE"
                self.create_revision = QuotedNumber(Int64(clamping: revision))
            case .wasPut(let key, let revision):
                self.key = Data(key.utf8)
                self.target = "MOD"
                self.mod_revision = QuotedNumber(Int64(clamping: revision))
            }
        }
    }

    struct Operation: Encodable {
        struct Put: Encodable {
            var key: Data
            var value: Data
            var lease: QuotedNumber?
        }

        struct Delete: Encodable {
            var key: Data
        }

        var request_put: Put?
        var request_delete_range: Delete?
        var request_range: Range?

        init(_ operation: EtcdOperation) {
            switch operation {
            case .put(let key, let value, let lease):
                let lease = lease.map { QuotedNumber($0.number) }
                self.request_put = Put(key: Data(key.utf8), value: Data(value), lease: lease)
            case .delete(let key):
                self.request_delete_range = Delete(key: Data(key.utf8))
            }
        }

        init(reading key: String) {
            self.request_range = Range(key: Data(key.utf8))
        }
    }
}

// MARK: - Replies

/// What etcd answers.
enum EtcdReply {
    struct Header: Decodable {
        var revision: QuotedNumber?
    }

    struct KeyValue: Decodable {
        var key: Data
        var value: Data?
        var create_revision: QuotedNumber?
        var mod_revision: QuotedNumber?
        var lease: QuotedNumber?

        var name: String { String(decoding: self.key, as: UTF8.self) }

        var entry: EtcdEntry {
            EtcdEntry(
                value: self.value.map { Array($0) } ?? [],
                createRevision: self.create_revision.revision,
                modRevision: self.mod_revision.revision,
                lease: self.lease.number == 0 ? nil : LeaseID(self.lease.number)
            )
        }
    }

    struct Authenticate: Decodable, Sendable {
        var token: String
    }

    /// The answer to a grant.
    struct Lease: Decodable {
        var ID: QuotedNumber
        var TTL: QuotedNumber?
    }

    struct Revoke: Decodable {
        var header: Header
    }

    struct Range: Decodable {
        var header: Header
        var kvs: [KeyValue]?
        var more: Bool?
    }

    struct Transaction: Decodable {
        struct Response: Decodable {
            var response_range: Range?
        }

        var header: Header
        var succeeded: Bool?
        var responses: [Response]?
    }

    struct Watch: Decodable {
        struct Event: Decodable {
            var type: String?
            var kv: KeyValue
        }

        var header: Header
        var canceled: Bool?
        var events: [Event]?
    }

    /// A message of an answer that has no end.
    struct Streamed<Message: Decodable>: Decodable {
        var result: Message?
        var error: Failure?
    }

    /// An error, at the top of an answer or inside of an endless one.
    struct Failure: Decodable {
        var message: String?
        var code: Int?
        var grpc_code: Int?
    }
}

extension EtcdReply.Failure {
    /// Reads an error, whichever of the two forms it has; nil if it has neither.
    init?(parsing body: Data) {
        let decoder = JSONDecoder()
        if let failure = try? decoder.decode(Self.self, from: body), failure.message != nil {
            self = failure
        } else if let failure = try? decoder.decode(EtcdReply.Streamed<EtcdReply.Header>.self, from: body).error {
            self = failure
        } else {
            return nil
        }
    }

    /// Whether another endpoint may do better: gRPC's cancelled, deadline exceeded, resource exhausted and unavailable.
    var isOfEndpoint: Bool { [1, 4, 8, 14].contains(self.number) }

    /// Whether a new token may help.
    var isOfToken: Bool {
        self.number == 16 || self.text.hasSuffix("revision of auth store is old")
            || self.text.hasSuffix("user name is empty")
    }

    var error: EtcdError {
        switch self.number {
        case 5 where self.text.hasSuffix("requested lease not found"): .leaseNotFound
        case 7, 16: .unauthorized(reason: self.text)
        case 3 where self.text.contains("authentication failed") || self.text.hasSuffix("user name is empty"):
            .unauthorized(reason: self.text)
        case 9 where self.text.hasSuffix("authentication is not enabled"): .unauthorized(reason: self.text)
        default: .refused(reason: self.text)
        }
    }

    var text: String { self.message ?? "etcd gave no reason" }

    private var number: Int { self.code ?? self.grpc_code ?? 2 }
}
