import ZeroMQ

/// What libzmq asks about a peer that wants to connect, and how it is answered: 27/ZAP in ZeroMQ's RFCs.
struct KeyQuestion {
    private static let version = Array("1.0".utf8)
    private static let mechanism = Array("CURVE".utf8)

    /// Which of libzmq's sockets asks, and the empty frame behind it.
    private let sender: [[UInt8]]
    private let number: [UInt8]
    /// The port that the peer wants.
    let domain: String
    /// Where the peer is; empty for a Unix socket.
    let address: String
    /// What it showed; nil when that was no key.
    let key: CurveKey?

    /// Nil when the frames are no question that could be answered.
    init?(_ frames: [[UInt8]]) {
        guard frames.count >= 8, frames[1].isEmpty, frames[2] == Self.version else { return nil }
        self.sender = Array(frames[..<2])
        self.number = frames[3]
        self.domain = String(decoding: frames[4], as: UTF8.self)
        self.address = String(decoding: frames[5], as: UTF8.self)
        let showsKey = frames.count == 9 && frames[7] == Self.mechanism
        self.key = showsKey ? CurveKey(bytes: frames[8]) : nil
    }

    /// The frames of the answer.
    ///
    /// - Parameter user: whom the peer is taken for; nil turns it away.
    func answer(admitting user: String?) -> [[UInt8]] {
        let code = user == nil ? "400" : "200"
        let text = user == nil ? "not on the list" : "OK"
        return self.sender + [
            Self.version, self.number, Array(code.utf8), Array(text.utf8), Array((user ?? "").utf8), [],
        ]
    }
}
