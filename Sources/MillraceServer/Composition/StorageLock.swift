import Foundation

/// Keeps two servers from working on one storage directory.
///
/// The lock ends with the process that holds it, however that ends.
struct StorageLock {
    /// Why the directory cannot be had; in words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32

    /// Makes the directory if it is not there, and takes its lock.
    init(directory: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw Failure(description: "\(directory) cannot be made: \(error.localizedDescription)")
        }
        let path = directory + "/" + StorageFiles.lock
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "\(path): \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(description: "\(directory) is in use by another millrace dev")
        }
        self.descriptor = descriptor
    }

    func release() {
        close(self.descriptor)
    }
}
