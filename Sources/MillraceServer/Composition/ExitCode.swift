/// What our processes end with, where it is not 0, 1 for a failure or 2 for a command line that makes no sense.
package enum ExitCode {
    /// As a shell answers when a program is not there.
    package static let notFound: Int32 = 127
    /// Nothing would change if the process were started again, as when somebody else has its port; its last line says why.
    package static let hopeless: Int32 = 69
    /// A lock that is needed is somebody else's, or cannot be had.
    package static let locked: Int32 = 73
    /// The supervisor was gone before we could watch it.
    package static let orphan: Int32 = 75
}
