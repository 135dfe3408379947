package import NIOCore

/// One answer of a server: the part of RESP2 that Faktory uses.
package enum Reply: Equatable, Sendable {
    /// A short word such as `OK`.
    case simple(String)
    /// The command was refused; `code` is the first word of the line, mostly `ERR`.
    case error(code: String, text: String)
    /// A number. No command is answered with one today.
    case integer(Int)
    /// Bytes, mostly a JSON document.
    case bulk(ByteBuffer)
    /// Nothing: what FETCH says when there is no job.
    case null
}
