/// How long the commands of a run took, and how long its jobs.
package struct BenchLatencies: Sendable {
    /// From when a push was due until it was confirmed.
    package var push = BenchLatency()
    /// Of the FETCHes that brought a job, the wait for it included.
    package var fetch = BenchLatency()
    package var acknowledgement = BenchLatency()
    /// From when a job was due until a worker had it.
    package var pushToStart = BenchLatency()
    /// From when a job was due until its acknowledgement was confirmed.
    package var pushToDone = BenchLatency()

    package init() {}
}
