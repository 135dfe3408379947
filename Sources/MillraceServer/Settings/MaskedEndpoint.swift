/// How an endpoint is shown: without a user and a password that may stand in it.
enum MaskedEndpoint {
    static func text(_ endpoint: String) -> String {
        guard let at = endpoint.lastIndex(of: "@") else { return endpoint }
        let scheme = endpoint.firstRange(of: "://").map { String(endpoint[..<$0.upperBound]) } ?? ""
        return scheme + "***" + endpoint[at...]
    }
}
