import JobCore

/// The field of a session's hash: the lane, the request and the part, with colons between them.
extension ProgressKey {
    var field: String {
        "\(self.lane.lane):\(self.request):\(self.part)"
    }

    /// Reads what `field` writes.
    init?(reading field: String, of session: SessionID) {
        let numbers = field.split(separator: ":", omittingEmptySubsequences: false)
        guard numbers.count == 3, let lane = UInt16(numbers[0]), let request = UInt64(numbers[1]),
            let part = UInt32(numbers[2])
        else { return nil }
        self.init(lane: LaneKey(session: session, lane: lane), request: request, part: part)
    }
}
