import Foundation

/// A job as a worker was given it.
struct FetchedPayload: Sendable {
    struct Failure: Decodable, Sendable {
        let errtype: String
        let message: String
        let remaining: Int
    }

    private struct Fields: Decodable {
        let jid: String
        let failure: Failure?
    }

    let bytes: [UInt8]

    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    var jid: String {
        get throws { try self.fields.jid }
    }

    var failure: Failure? {
        get throws { try self.fields.failure }
    }

    private var fields: Fields {
        get throws { try JSONDecoder().decode(Fields.self, from: Data(self.bytes)) }
    }
}
