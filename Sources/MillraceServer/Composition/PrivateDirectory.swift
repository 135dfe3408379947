import Foundation
import Logging

/// The storage directory, which holds every job: nobody but its owner may look into it.
enum PrivateDirectory {
    /// Why a directory cannot be used as it is; in words.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Takes a directory that is there already away from everybody but its owner, and says so in the log.
    ///
    /// One that holds what is not Millrace's is not touched, since it may be meant for others, but refused. Nothing is done
    /// about one that is not there.
    static func narrow(_ path: String, logger: Logger) throws(Failure) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        let mode = status.st_mode & 0o7777
        guard mode & 0o077 != 0 else { return }
        let shown = "0" + String(mode, radix: 8)
        guard Self.isOurs(path) else {
            throw Failure(
                description: "\(path): others may read it (its mode is \(shown)), and it holds what is not Millrace's; "
                    + Self.remedy
            )
        }
        guard chmod(path, 0o700) == 0 else {
            let reason = String(cString: strerror(errno))
            throw Failure(description: "\(path): others may read it (its mode is \(shown)): \(reason); \(Self.remedy)")
        }
        logger.warning(
            "the storage directory was open to others and is not any more",
            metadata: ["path": "\(path)", "was": "\(shown)", "is": "0700"]
        )
    }

    private static let remedy = "give storage_directory one of its own, with the mode 0700"

    /// Whether it is empty, or Millrace has kept its data in it before.
    private static func isOurs(_ path: String) -> Bool {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return false }
        return names.isEmpty || names.contains(StorageFiles.lock)
    }
}
