import AsyncHTTPClient
import Foundation
package import JobCore

/// Speaks etcd's version 3 by its HTTP interface.
///
/// Each call is put to one endpoint after the other, beginning with the one that answered last, until one carries it out or
/// the time is over. A call that may have reached an endpoint is put to the next as well, which is harmless for every one
/// that is offered here: what each says about that is in its description.
///
/// A client must be shut down before it is let go.
package actor EtcdClient {
    private let configuration: EtcdConfiguration
    private let transport: EtcdTransport
    private let uptime: @Sendable () -> Uptime
    /// Counts on when an endpoint fails; the remainder is the one to ask.
    private var turn = 0
    private var token: String?

    /// - Parameter uptime: the caller's clock, by which the trust in a lease is counted.
    package init(_ configuration: EtcdConfiguration, uptime: @escaping @Sendable () -> Uptime) throws(EtcdError) {
        self.configuration = configuration
        self.transport = try EtcdTransport(configuration)
        self.uptime = uptime
    }

    /// Closes every connection.
    ///
    /// Calls under way fail, and no more may be made.
    package func shutDown() async {
        await self.transport.shutDown()
    }

    /// Runs `body` with a client, and shuts it down afterwards.
    package static func withClient<Result: Sendable>(
        _ configuration: EtcdConfiguration,
        uptime: @escaping @Sendable () -> Uptime,
        _ body: (EtcdClient) async throws -> Result
    ) async throws -> Result {
        let client = try EtcdClient(configuration, uptime: uptime)
        do {
            let result = try await body(client)
            await client.shutDown()
            return result
        } catch {
            await client.shutDown()
            throw error
        }
    }

    // MARK: - Calls

    /// An answer, and when the request that was answered left us.
    struct Answered<Reply> {
        var reply: Reply
        var sentAt: Uptime
    }

    /// Makes a call and takes its answer.
    func call<Reply: Decodable>(
        _ path: String,
        _ request: some Encodable,
        returning reply: Reply.Type
    ) async throws(EtcdError) -> Answered<Reply> {
        let body = try Self.encoded(request)
        let deadline = ContinuousClock.now + self.configuration.callTimeout
        var hasRenewedToken = false
        while true {
            let token = try await self.currentToken(until: deadline)
            switch try await self.exchange(path, body, token: token, until: deadline) {
            case .answered(let data, let sentAt):
                return Answered(reply: try Self.decoded(Reply.self, from: data), sentAt: sentAt)
            case .declined(let failure):
                // A token ends by time, and with the etcd that gave it.
                guard failure.isOfToken, token != nil, !hasRenewedToken else { throw failure.error }
                hasRenewedToken = true
                if self.token == token { self.token = nil }
            }
        }
    }

    /// Begins a watch at the endpoint whose turn it is; its messages are to be read from what is returned.
    func openWatch(_ request: EtcdRequest.Watch) async throws(EtcdError) -> HTTPClientResponse.Body {
        let limit = self.configuration.attemptTimeout
        let token = try await self.currentToken(until: ContinuousClock.now + self.configuration.callTimeout)
        let turn = self.turn
        let url = self.url("/v3/watch", turn: turn)
        do {
            return try await self.transport.open(try Self.encoded(request), at: url, token: token, within: limit).body
        } catch {
            self.giveUp(turn)
            throw error
        }
    }

    /// What an endpoint said that is the last word.
    private enum Word {
        case answered(Data, sentAt: Uptime)
        case declined(EtcdReply.Failure)
    }

    /// Puts a request to the endpoints, each of them once at the most.
    private func exchange(
        _ path: String,
        _ body: [UInt8],
        token: String?,
        until deadline: ContinuousClock.Instant
    ) async throws(EtcdError) -> Word {
        var reason = "there was no time left to ask"
        for _ in self.configuration.endpoints {
            let left = deadline - ContinuousClock.now
            guard left > .zero, !Task.isCancelled else { break }
            let turn = self.turn
            let sentAt = self.uptime()
            let outcome = await self.transport.post(
                body,
                to: self.url(path, turn: turn),
                token: token,
                within: min(left, self.configuration.attemptTimeout)
            )
            switch outcome {
            case .answered(let data): return .answered(data, sentAt: sentAt)
            case .declined(let failure) where failure.isOfEndpoint: reason = failure.text
            case .declined(let failure): return .declined(failure)
            case .failed(let text): reason = text
            case .garbled(let text): throw .unexpectedReply(reason: text)
            }
            self.giveUp(turn)
        }
        throw .unavailable(reason: reason)
    }

    /// Where etcd is.
    var endpoints: [String] { self.configuration.endpoints }

    /// A page that etcd shows to anybody; nil when it shows none in the time that one endpoint may take.
    func page(_ url: String) async -> Data? {
        await self.transport.get(url, within: self.configuration.attemptTimeout)
    }

    /// Turns to the next endpoint, unless another call has done so already.
    private func giveUp(_ turn: Int) {
        if self.turn == turn { self.turn += 1 }
    }

    private func url(_ path: String, turn: Int) -> String {
        self.configuration.endpoints[turn % self.configuration.endpoints.count] + path
    }

    // MARK: - Authentication

    /// The token to send along; nil if no user was given.
    private func currentToken(until deadline: ContinuousClock.Instant) async throws(EtcdError) -> String? {
        guard let credentials = self.configuration.credentials else { return nil }
        if let token { return token }
        let request = EtcdRequest.Authenticate(name: credentials.user, password: credentials.password)
        let body = try Self.encoded(request)
        switch try await self.exchange("/v3/auth/authenticate", body, token: nil, until: deadline) {
        case .answered(let data, _):
            let token = try Self.decoded(EtcdReply.Authenticate.self, from: data).token
            self.token = token
            return token
        case .declined(let failure):
            throw failure.error
        }
    }

    // MARK: - JSON

    private static func encoded(_ request: some Encodable) throws(EtcdError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(request))
        } catch {
            throw .refused(reason: "the request cannot be put as JSON: \(error)")
        }
    }

    private static func decoded<Reply: Decodable>(_ type: Reply.Type, from data: Data) throws(EtcdError) -> Reply {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .unexpectedReply(reason: "\(error)")
        }
    }
}
