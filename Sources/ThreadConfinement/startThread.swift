import Glibc

/// The longest thread name that Linux keeps, without its terminating zero.
private let threadNameByteLimit = 15

/// What a new thread is handed: a class, because one pointer is all that can be handed over.
private final class ThreadBody {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Starts a detached thread that runs `body`, lets go of it, and hands its result to `finish`.
///
/// This is a function of its own, isolated to nothing, so that its closures are not inferred to belong to
/// the main actor, which would trap on the new thread.
func startThread<Value>(
    name: String,
    run body: @escaping @Sendable () -> Value,
    then finish: @escaping @Sendable (Value) -> Void
) {
    let name = String(decoding: name.utf8.prefix(threadNameByteLimit), as: UTF8.self)
    let threadBody = ThreadBody(run: runOnce(name: name, body, then: finish))
    let argument = Unmanaged.passRetained(threadBody).toOpaque()

    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

    var thread = pthread_t()
    let code = pthread_create(&thread, &attributes, threadMain, argument)
    precondition(code == 0, "no thread \(name) could be started: error \(code)")
}

/// Wraps `body` so that it and all that it captured are gone before `finish` is called.
private func runOnce<Value>(
    name: String,
    _ body: @escaping @Sendable () -> Value,
    then finish: @escaping @Sendable (Value) -> Void
) -> @Sendable () -> Void {
    let slot = Condition<(@Sendable () -> Value)?>(body)
    return {
        nameCurrentThread(name)
        let result = slot.withLock { $0.take() }.map { $0() }
        if let result { finish(result) }
    }
}

/// Sets the name that the kernel shows for the calling thread; without `/proc` the thread stays nameless.
///
/// `pthread_setname_np` does the same, but is not among what Swift imports.
private func nameCurrentThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
