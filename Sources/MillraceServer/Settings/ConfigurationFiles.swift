import Glibc

/// The files that settings may come from, so that the rules about them need no disk to be tested.
package struct ConfigurationFiles: Sendable {
    /// Why a file or a directory could not be read.
    package enum Failure: Error, Equatable {
        case missing
        /// With the system's words for it.
        case unreadable(String)
    }

    /// The whole content of a file.
    package var read: @Sendable (_ path: String) throws(Failure) -> [UInt8]
    /// The names in a directory, in no order.
    package var list: @Sendable (_ directory: String) throws(Failure) -> [String]

    package init(
        read: @escaping @Sendable (_ path: String) throws(Failure) -> [UInt8],
        list: @escaping @Sendable (_ directory: String) throws(Failure) -> [String]
    ) {
        self.read = read
        self.list = list
    }

    /// The most bytes of one file that are read; no configuration comes near.
    package static let largestFile = 16 << 20

    /// The real ones.
    package static let disk = ConfigurationFiles(read: Self.contents(of:), list: Self.names(in:))

    /// Whether a file is there and can be read.
    package func hasFile(_ path: String) -> Bool {
        do {
            _ = try self.read(path)
            return true
        } catch {
            return false
        }
    }

    @Sendable private static func contents(of path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(errno) }
            guard count > 0 else { return content }
            content += buffer[..<count]
            guard content.count <= Self.largestFile else {
                throw .unreadable("is larger than \(ByteCountText.print(Self.largestFile))")
            }
        }
    }

    @Sendable private static func names(in directory: String) throws(Failure) -> [String] {
        guard let stream = opendir(directory) else { throw Self.failure(errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ code: Int32) -> Failure {
        code == ENOENT || code == ENOTDIR ? .missing : .unreadable(String(cString: strerror(code)))
    }
}
