import JobCore

extension Job {
    init(_ text: String) throws(JobRejection) {
        try self.init(parsing: Array(text.utf8))
    }

    var text: String { String(decoding: self.payload, as: UTF8.self) }
}

extension Optional where Wrapped == ArraySlice<UInt8> {
    var text: String? { self.map { String(decoding: $0, as: UTF8.self) } }
}

/// A payload with these members after those that a job must have.
func payload(_ members: String = "") -> String {
    let rest = members.isEmpty ? "" : "," + members
    return #"{"jid":"order-000017","jobtype":"ShipOrder","args":[17]"# + rest + "}"
}
