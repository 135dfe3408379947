/// Why the bytes of a server are no replies. The connection that they came from is of no further use.
package enum ReplyDecodingError: Error, Equatable {
    /// A line starts with a byte that announces no kind of reply that Faktory has; arrays are among them.
    case unknownKind(UInt8)
    /// A line went on beyond ``ReplyDecoder/maximumLineByteCount``.
    case lineTooLong
    /// A line or a bulk string did not end with CR and LF.
    case missingLineEnd
    /// A length or an integer is no decimal number, or a length is below -1.
    case invalidNumber
    /// A bulk string is longer than the decoder takes.
    case bulkTooLong(Int)
}
