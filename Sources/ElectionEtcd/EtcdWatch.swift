import Foundation

/// The states of all keys with a prefix, one after the other.
package struct EtcdWatch: AsyncSequence, Sendable {
    /// The rest between two tries while etcd cannot be reached; it doubles up to ``longestPause``.
    static let shortestPause = Duration.milliseconds(50)
    static let longestPause = Duration.seconds(1)

    let client: EtcdClient
    let prefix: String

    package func makeAsyncIterator() -> Iterator {
        Iterator(client: self.client, prefix: self.prefix)
    }

    package struct Iterator: AsyncIteratorProtocol {
        private let client: EtcdClient
        private let prefix: String
        /// What was told last.
        private var told: EtcdSnapshot?
        private var stream: EtcdEventStream?
        private var pause = EtcdWatch.shortestPause

        init(client: EtcdClient, prefix: String) {
            self.client = client
            self.prefix = prefix
        }

        /// The next state; nil when the task was cancelled.
        package mutating func next() async throws(EtcdError) -> EtcdSnapshot? {
            while !Task.isCancelled {
                do throws(EtcdError) {
                    if let snapshot = try await self.advance() {
                        self.told = snapshot
                        self.pause = EtcdWatch.shortestPause
                        return snapshot
                    }
                } catch {
                    self.stream = nil
                    guard case .unavailable = error else { throw error }
                    await self.rest()
                }
            }
            return nil
        }

        /// Goes one step further: reads the state, opens the stream, or takes a message from it.
        private mutating func advance() async throws(EtcdError) -> EtcdSnapshot? {
            guard self.stream != nil, let told = self.told else { return try await self.readAndOpen() }
            guard let message = try await self.nextMessage() else {
                // Closed, or silent for so long that it may be dead: the state is read anew.
                self.stream = nil
                return nil
            }
            if let failure = message.error {
                throw failure.isOfEndpoint ? .unavailable(reason: failure.text) : failure.error
            }
            guard let reply = message.result, reply.canceled != true else {
                throw .unavailable(reason: "etcd ended the watch")
            }
            guard let events = reply.events, !events.isEmpty else { return nil }
            return Self.snapshot(told, applying: events, at: reply.header.revision.revision)
        }

        private mutating func readAndOpen() async throws(EtcdError) -> EtcdSnapshot? {
            let snapshot = try await self.client.get(prefix: self.prefix)
            let create = EtcdRequest.Watch.Create(
                key: Data(self.prefix.utf8),
                range_end: EtcdClient.end(ofPrefix: self.prefix),
                start_revision: QuotedNumber(Int64(clamping: snapshot.revision) + 1)
            )
            self.stream = EtcdEventStream(
                try await self.client.openWatch(EtcdRequest.Watch(create_request: create))
            )
            guard snapshot.entries != self.told?.entries else {
                self.told = snapshot
                return nil
            }
            return snapshot
        }

        private mutating func nextMessage() async throws(EtcdError) -> EtcdReply.Streamed<EtcdReply.Watch>? {
            try await self.stream?.next(EtcdReply.Streamed<EtcdReply.Watch>.self)
        }

        private mutating func rest() async {
            // Cancelled, the loop finds out.
            try? await Task.sleep(for: self.pause)
            self.pause = Swift.min(self.pause * 2, EtcdWatch.longestPause)
        }

        private static func snapshot(
            _ before: EtcdSnapshot,
            applying events: [EtcdReply.Watch.Event],
            at revision: UInt64
        ) -> EtcdSnapshot {
            var after = EtcdSnapshot(revision: Swift.max(before.revision, revision), entries: before.entries)
            for event in events {
                after.entries[event.kv.name] = event.type == "DELETE" ? nil : event.kv.entry
            }
            return after
        }
    }
}
