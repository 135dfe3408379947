import ClusterLinkZeroMQ
import ZeroMQ

/// `millrace keys`: makes a pair of keys for the links between hosts.
struct KeysCommand {
    static let help = """
        millrace keys FILE

        Makes a pair of keys for the encrypted links between hosts: the secret key in FILE, which only its owner may
        read, and the public key in FILE.pub. A file that is there already is never overwritten.

        Each front, scheduler and manager has a pair of its own. Their public keys belong in the list that every host
        has, one in a line: "front KEY", "scheduler KEY", or "member NUMBER KEY" for a manager.

        """

    /// - Returns: the exit code: 1 when the files cannot be made, 2 for wrong arguments.
    func run(_ arguments: [String]) -> Int32 {
        if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            print(Self.help, terminator: "")
            return 0
        }
        guard arguments.count == 1, let path = arguments.first, !path.isEmpty, !path.hasPrefix("-") else {
            MillraceCommand.complain("millrace keys: one file is needed\nTry: millrace keys --help")
            return 2
        }
        do throws(LinkKeyError) {
            print(try LinkKeyFile.generate(at: path).publicKey.text)
            return 0
        } catch {
            MillraceCommand.complain("millrace keys: \(error)")
            return 1
        }
    }
}
