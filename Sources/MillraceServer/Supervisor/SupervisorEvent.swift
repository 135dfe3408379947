/// What a ``Supervisor`` tells about its children, each by its name.
package enum SupervisorEvent: Sendable, Equatable {
    case started(String, processID: Int32)
    /// It could not be started, in the system's words; it is tried again like one that ended.
    case failedToStart(String, reason: String)
    case exited(String, ChildExit)
    case restarting(String, in: Duration)
    /// It never came up, and starting it again would not help; all are stopped.
    case gaveUp(String, ChildExit)
    /// It was asked to end.
    case stopping(String)
    /// It did not end in time and was killed.
    case killed(String)
}
