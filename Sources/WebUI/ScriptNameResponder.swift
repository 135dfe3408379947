import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Serves a proxy that has the pages under a prefix of its own: what `X-Script-Name` says is taken out of the path.
///
/// As with Faktory, that is the first place where it stands, and a path without it stays as it is.
struct ScriptNameResponder<Inner: HTTPResponder>: HTTPResponder {
    typealias Context = Inner.Context

    private static var fieldName: HTTPField.Name? { HTTPField.Name("X-Script-Name") }

    private let inner: Inner

    init(_ inner: Inner) {
        self.inner = inner
    }

    @concurrent func respond(to request: Request, context: Context) async throws -> Response {
        guard let name = Self.fieldName, let prefix = request.headers[name], !prefix.isEmpty,
            let path = request.head.path,
            let place = path.range(of: prefix)
        else { return try await self.inner.respond(to: request, context: context) }
        var head = request.head
        let rest = path.replacingCharacters(in: place, with: "")
        head.path = rest.hasPrefix("/") ? rest : "/" + rest
        return try await self.inner.respond(to: Request(head: head, body: request.body), context: context)
    }
}
