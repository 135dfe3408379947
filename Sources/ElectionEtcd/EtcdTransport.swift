import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Carries single requests to one endpoint of etcd's HTTP interface.
///
/// It repeats nothing and follows no redirection, so that a password goes nowhere but to the endpoints that were named.
struct EtcdTransport: Sendable {
    /// The longest answer, or message of an endless one, that is read; etcd's own limit for a request is 1.5 MiB.
    static let replyByteLimit = 4 << 20
    /// The longest answer with an error in it.
    private static let failureByteLimit = 64 << 10

    /// How a request that was put to one endpoint came out.
    enum Outcome: Sendable {
        case answered(Data)
        /// etcd answered with an error.
        case declined(EtcdReply.Failure)
        /// No answer; the request may or may not have been carried out.
        case failed(reason: String)
        /// The answer is none that etcd's interface has.
        case garbled(reason: String)
    }

    private let client: HTTPClient

    /// Throws `.refused` when a certificate or a key cannot be read.
    init(_ configuration: EtcdConfiguration) throws(EtcdError) {
        var settings = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(configuration.tls),
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(
                connect: TimeAmount(configuration.attemptTimeout),
                read: TimeAmount(configuration.watchSilence)
            )
        )
        settings.httpVersion = .http1Only
        // The next endpoint is asked instead.
        settings.connectionPool.retryConnectionEstablishment = false
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    private static func tls(_ files: EtcdConfiguration.TLS) throws(EtcdError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        do {
            if let path = files.authoritiesPath {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            }
            if let identity = files.identity {
                let chain = try NIOSSLCertificate.fromPEMFile(identity.certificateChainPath)
                tls.certificateChain = chain.map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.privateKeyPath, format: .pem))
            }
        } catch {
            throw .refused(reason: "a certificate or key for etcd cannot be read: \(error)")
        }
        return tls
    }

    /// Closes every connection; requests under way fail.
    func shutDown() async {
        // It throws only when it was shut down before.
        try? await self.client.shutdown()
    }

    /// Puts a request and takes the whole answer.
    func post(_ body: [UInt8], to url: String, token: String?, within limit: Duration) async -> Outcome {
        let request = Self.request(body, to: url, token: token)
        let client = self.client
        let outcome = await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await Self.exchange(request, over: client, within: limit) }
            group.addTask {
                // When it is woken early, the answer is there.
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        return outcome ?? .failed(reason: Task.isCancelled ? "the call was cancelled" : "no answer within \(limit)")
    }

    /// Takes a page, whatever its status; nil when there is none, or it is longer than an answer with an error may be.
    func get(_ url: String, within limit: Duration) async -> Data? {
        do {
            let response = try await self.client.execute(HTTPClientRequest(url: url), timeout: TimeAmount(limit))
            return Data(try await response.body.collect(upTo: Self.failureByteLimit).readableBytesView)
        } catch {
            return nil
        }
    }

    /// Puts a request whose answer has no end, and takes the beginning of it.
    func open(_ body: [UInt8], at url: String, token: String?, within limit: Duration) async throws(EtcdError)
        -> HTTPClientResponse
    {
        let response: HTTPClientResponse
        do {
            response = try await self.client.execute(
                Self.request(body, to: url, token: token),
                timeout: TimeAmount(limit)
            )
        } catch {
            throw .unavailable(reason: "\(error)")
        }
        guard response.status == .ok else {
            throw .unavailable(reason: "etcd answered \(response.status.code) to a watch")
        }
        return response
    }

    private static func exchange(
        _ request: HTTPClientRequest,
        over client: HTTPClient,
        within limit: Duration
    ) async -> Outcome {
        let status: UInt
        let body: Data
        do {
            let response = try await client.execute(request, timeout: TimeAmount(limit))
            status = response.status.code
            let byteLimit = status == 200 ? Self.replyByteLimit : Self.failureByteLimit
            body = Data(try await response.body.collect(upTo: byteLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            return .garbled(reason: "the answer is too long")
        } catch {
            return .failed(reason: "\(error)")
        }
        guard status != 200 else { return .answered(body) }
        guard let failure = EtcdReply.Failure(parsing: body) else {
            // Not etcd, or a proxy before it.
            return .garbled(reason: "an answer with status \(status) that is none of etcd's")
        }
        return .declined(failure)
    }

    private static func request(_ body: [UInt8], to url: String, token: String?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: token) }
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }
}
