import AsyncHTTPClient
import Foundation
import NIOCore

/// The messages of an answer that has no end, each a line of JSON.
struct EtcdEventStream {
    private var chunks: HTTPClientResponse.Body.AsyncIterator
    private var unread: [UInt8] = []

    init(_ body: HTTPClientResponse.Body) {
        self.chunks = body.makeAsyncIterator()
    }

    /// The next message; nil when there is none for too long, or the answer has ended after all.
    mutating func next<Message: Decodable>(_ type: Message.Type) async throws(EtcdError) -> Message? {
        while true {
            if let end = self.unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Data(self.unread[..<end])
                self.unread.removeSubrange(...end)
                do {
                    return try JSONDecoder().decode(type, from: line)
                } catch {
                    throw .unexpectedReply(reason: "\(error)")
                }
            }
            let chunk: ByteBuffer?
            do {
                chunk = try await self.chunks.next(isolation: #isolation)
            } catch {
                return nil
            }
            guard let chunk else { return nil }
            guard self.unread.count + chunk.readableBytes <= EtcdTransport.replyByteLimit else {
                throw .unexpectedReply(reason: "a message is too long")
            }
            self.unread.append(contentsOf: chunk.readableBytesView)
        }
    }
}
