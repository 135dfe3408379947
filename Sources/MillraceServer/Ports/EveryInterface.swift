import Glibc

/// How to listen on every interface.
enum EveryInterface {
    /// Both families where the system has IPv6 and lets one socket serve both, else IPv4.
    static var host: String {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return "0.0.0.0" }
        defer { close(descriptor) }
        var isOnlyVersion6: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        let code = getsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &isOnlyVersion6, &byteCount)
        guard code == 0, isOnlyVersion6 == 0 else { return "0.0.0.0" }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
        return isBound ? "::" : "0.0.0.0"
    }
}
