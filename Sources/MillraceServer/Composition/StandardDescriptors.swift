import Glibc

/// The descriptors that every program takes for granted.
enum StandardDescriptors {
    /// Opens `/dev/null` in the place of each that whoever started us has closed.
    ///
    /// Otherwise the next socket has its number, and what is printed goes to whoever is at the other end.
    static func ensure() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            // The least that is free, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }
}
