/// The variables that Kubernetes sets for a service, in every container that starts after it.
///
/// Of a service called `millrace-cluster-manager` there is `MILLRACE_CLUSTER_MANAGER_PORT=tcp://10.0.0.1:7421`, which is
/// also the name of a setting.
enum ServiceLink {
    /// Whether a variable is one of those, by its name and by what it says.
    static func isOne(_ name: String, value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
            return true
        }
        if name.hasSuffix("_PORT"), Self.isAddress(value) { return true }
        // MILLRACE_REDIS_PORT_6379_TCP, and the same with _PROTO, _PORT and _ADDR behind it.
        let words = name.split(separator: "_")
        guard let protocolIndex = words.lastIndex(where: { ["TCP", "UDP", "SCTP"].contains($0) }), protocolIndex >= 2,
            words.count - protocolIndex <= 2
        else { return false }
        return words[protocolIndex - 2] == "PORT" && UInt16(words[protocolIndex - 1]) != nil
    }

    private static func isAddress(_ value: String) -> Bool {
        ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
    }
}
