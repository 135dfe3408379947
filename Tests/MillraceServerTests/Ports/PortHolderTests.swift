import Glibc
import TestSupport
import Testing

@testable import MillraceServer

@Suite("Who has a port")
struct PortHolderTests {
    private static let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1CFB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
           1: 0100007F:1CFB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
           2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
        """

    @Test("only what listens on the port counts in the kernel's table")
    func inodes() {
        #expect(PortHolder.inodes(listeningOn: 7_419, in: Self.table) == ["4711"])
        #expect(PortHolder.inodes(listeningOn: 80, in: Self.table) == ["4713"])
        #expect(PortHolder.inodes(listeningOn: 7_420, in: Self.table).isEmpty)
        #expect(PortHolder.inodes(listeningOn: 80, in: "").isEmpty)
    }

    @Test("a process that listens is found, and the port counts as taken until it lets go")
    func ownPort() throws {
        let port = try freePort()
        let address = HostPort(host: "127.0.0.1", port: UInt16(port))
        #expect(!PortWait.isTaken(address))
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let code = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0 && listen(descriptor, 1) == 0)
        #expect(PortHolder.find(port: port)?.processID == getpid())
        #expect(PortWait.isTaken(address))
        close(descriptor)
        #expect(PortHolder.find(port: port) == nil)
        #expect(!PortWait.isTaken(address))
    }

    @Test("the line names the port, who has it, and what to set")
    func words() {
        let holder = PortHolder(processID: 12, name: "nginx")
        let taken = PortTaken(setting: "front.bind", address: "127.0.0.1:1", port: 1, holder: holder)
        #expect(
            taken.description
                == "the port 1 is taken by nginx (process 12): end that, or set front.bind to something else than 127.0.0.1:1"
        )
    }
}
