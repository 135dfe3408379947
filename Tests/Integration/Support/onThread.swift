import ThreadConfinement

/// Runs a test's body on a thread of its own, where blocking is allowed, when it is its turn.
///
/// Only a few bodies run at the same time, so that their processes do not starve each other on a small machine. What a
/// body starts with `async let` or in a task group runs elsewhere, and goes on while the body blocks.
func onThread<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    await Turns.shared.take()
    let executor = ThreadExecutor(name: "integration")
    let result = await BlockingPlace(executor).run(body)
    await executor.shutDown()
    await Turns.shared.giveBack()
    return try result.get()
}

/// Runs a body with a server of its own, which is stopped afterwards, whatever happens.
func withMillrace<Value: Sendable>(
    settings: [String: String] = [:],
    configuration: [String: String] = [:],
    variables: [String: String] = [:],
    executable: String? = nil,
    _ body: @Sendable (MillraceProcesses) async throws -> Value
) async throws -> Value {
    try await onThread {
        try await body(
            MillraceProcesses(
                settings: settings,
                configuration: configuration,
                variables: variables,
                executable: executable
            )
        )
    }
}

/// Where a body blocks without holding up anything else; it stays in the task of its test.
private actor BlockingPlace {
    private let executor: ThreadExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    init(_ executor: ThreadExecutor) {
        self.executor = executor
    }

    func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async -> Result<Value, any Error> {
        // Without a word to the actor itself the compiler sees no reason to be on its thread before `body` is.
        self.preconditionIsolated("a body is to run on its own thread")
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}

/// Lets a bounded number of tests go on at a time, those that came first in front.
private actor Turns {
    static let shared = Turns(4)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        self.free = count
    }

    func take() async {
        guard self.free == 0 else {
            self.free -= 1
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    func giveBack() {
        guard self.waiting.isEmpty else { return self.waiting.removeFirst().resume() }
        self.free += 1
    }
}
