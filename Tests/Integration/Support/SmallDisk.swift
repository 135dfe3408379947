import Foundation
import TestSupport

/// A file system of its own that is soon full; it is unmounted when it is let go.
///
/// Mounting takes root. Where the tests run as anybody else, a test that needs this fails and says so.
final class SmallDisk: Sendable {
    /// Why there is no such disk; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let mebibyte = 1 << 20

    private let mountPoint: TemporaryDirectory

    init(mebibytes: Int) throws {
        let mountPoint = try TemporaryDirectory()
        let options = "size=\(mebibytes)m,mode=0700"
        guard mount("tmpfs", mountPoint.path, "tmpfs", 0, options) == 0 else {
            throw Failure(
                description:
                    "a full disk can only be tried as root, who may mount a tmpfs: \(String(cString: strerror(errno)))"
            )
        }
        self.mountPoint = mountPoint
    }

    deinit {
        _ = umount2(self.mountPoint.path, Int32(MNT_DETACH))
    }

    var path: String { self.mountPoint.path }

    /// Takes all room but this many bytes.
    func fill(leaving byteCount: Int) throws {
        let descriptor = open(self.ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "the ballast: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else {
            throw Failure(description: "statvfs: \(String(cString: strerror(errno)))")
        }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard posix_fallocate(descriptor, 0, max(1, free - byteCount)) == 0 else {
            throw Failure(description: "the ballast does not fit")
        }
    }

    /// Gives the room back that was taken.
    func empty() {
        unlink(self.ballast)
    }

    private var ballast: String { self.path + "/ballast" }
}
