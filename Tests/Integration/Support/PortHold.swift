import Glibc

/// A port of the loopback address that a test listens on, so that nobody else can.
final class PortHold {
    private var descriptor: Int32

    init(port: Int) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw ClientSocket.Failure.system(call: "socket", code: errno) }
        var isOn: Int32 = 1
        setsockopt(self.descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0, listen(self.descriptor, 8) == 0 else {
            throw ClientSocket.Failure.system(call: "listen", code: errno)
        }
    }

    deinit {
        self.letGo()
    }

    func letGo() {
        if self.descriptor >= 0 { close(self.descriptor) }
        self.descriptor = -1
    }
}
