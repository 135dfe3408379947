import CZeroMQ

/// A key of CURVE, ZeroMQ's encryption, in its printable form.
package struct CurveKey: Sendable, Hashable {
    /// Characters of a key in Z85, its printable form.
    package static let characterCount = 40
    /// Bytes of a key.
    package static let byteCount = 32

    /// The key in Z85.
    package let text: String

    /// Reads a key in Z85, or throws `.invalidKey`.
    package init(parsing text: String) throws(ZeroMQError) {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        guard text.utf8.count == Self.characterCount, zmq_z85_decode(&bytes, text) != nil else { throw .invalidKey }
        self.text = text
    }

    /// A key as the handshake has it; nil when it is not of the length of a key.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        var characters = [CChar](repeating: 0, count: Self.characterCount + 1)
        guard zmq_z85_encode(&characters, bytes, bytes.count) != nil else { return nil }
        self.init(terminated: characters)
    }

    init(terminated characters: [CChar]) {
        self.text = String(decoding: characters.prefix(Self.characterCount).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A secret key of CURVE and the public key that belongs to it.
package struct CurveKeyPair: Sendable, Hashable {
    package let publicKey: CurveKey
    package let secretKey: CurveKey

    /// Works out the public key of a secret one.
    package init(secretKey: CurveKey) throws(ZeroMQError) {
        var publicText = [CChar](repeating: 0, count: CurveKey.characterCount + 1)
        guard zmq_curve_public(&publicText, secretKey.text) == 0 else { throw .latest() }
        self.publicKey = CurveKey(terminated: publicText)
        self.secretKey = secretKey
    }

    private init(publicKey: CurveKey, secretKey: CurveKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Makes a new pair from the system's random numbers.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: CurveKey.characterCount + 1)
        var secretText = [CChar](repeating: 0, count: CurveKey.characterCount + 1)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .latest() }
        return CurveKeyPair(
            publicKey: CurveKey(terminated: publicText),
            secretKey: CurveKey(terminated: secretText)
        )
    }
}
