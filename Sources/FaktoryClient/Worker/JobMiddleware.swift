/// Something that is done around every job: logging, metrics, a transaction.
///
/// ```swift
/// struct Timing: JobMiddleware {
///     func run(_ context: JobContext, next: (JobContext) async throws -> Void) async throws {
///         let start = ContinuousClock.now
///         defer { print(context.job.jobType, ContinuousClock.now - start) }
///         try await next(context)
///     }
/// }
/// ```
///
/// The first of a worker is the outermost. One that does not call `next` ends the job as done, one that throws fails it.
public protocol JobMiddleware: Sendable {
    /// Does what there is to do, and the job between by calling `next`.
    func run(_ context: JobContext, next: (JobContext) async throws -> Void) async throws
}
