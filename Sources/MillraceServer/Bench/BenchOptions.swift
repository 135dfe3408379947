/// What `millrace bench` is asked to do.
package struct BenchOptions: Sendable, Equatable {
    /// A process whose use of the machine is measured beside the run.
    package struct WatchedProcess: Sendable, Equatable {
        package let name: String
        package let processID: Int32

        package init(name: String, processID: Int32) {
            self.name = name
            self.processID = processID
        }
    }

    /// How many connections push.
    package var producerCount = 10
    /// How many connections fetch and acknowledge; 0 to push only, which leaves the jobs in their queues.
    package var workerCount = 10
    /// How many jobs are pushed in all.
    package var jobCount = 20_000
    /// How many bytes each job's only argument has.
    package var payloadByteCount = 100
    /// Over how many queues the jobs are spread.
    package var queueCount = 1
    /// How many jobs one command pushes: PUSH for 1, PUSHB for more.
    package var batchJobCount = 1
    /// How many jobs a second are due; nil to push each as soon as the one before it is answered.
    package var jobsPerSecond: Int?
    /// How many further workers wait for jobs that never come.
    package var idleWorkerCount = 0
    /// The processes to watch; empty for those of the server, if they are found on this machine.
    package var processes: [WatchedProcess] = []
    /// Whether the report is one JSON object rather than a table.
    package var printsJSON = false
    /// A PEM file of the certificate authorities to trust over TLS; nil for those of the system.
    package var authoritiesPath: String?
    /// Where the server is; nil for what the environment says.
    package var url: String?

    package init() {}

    package static let producerBounds = 1...2_000
    package static let workerBounds = 0...2_000
    package static let jobBounds = 1...10_000_000
    package static let payloadBounds = 0...1_048_576
    package static let queueBounds = 1...64
    package static let batchBounds = 1...1_000
    package static let rateBounds = 1...1_000_000
    package static let idleBounds = 0...20_000
    /// The most processes that are watched.
    package static let maximumProcessCount = 16
    /// The most payload that one command carries, in bytes.
    package static let maximumCommandPayloadByteCount = 8 * 1024 * 1024

    static let help = """
        Usage: millrace bench [URL] [flags]

        Pushes jobs to a running server, fetches and acknowledges each, checks that every one was fetched exactly
        once, and tells how fast that went. Every connection has one command outstanding. The queues are new ones.

          URL                tcp://[:password@]host:port, or tcp+tls: for TLS; by default $FAKTORY_URL, or
                             tcp://localhost:7419
          --producers N      connections that push (default 10)
          --workers N        connections that fetch and acknowledge (default 10); with 0, jobs are only pushed,
                             and stay in their queues
          --jobs N           jobs in all (default 20000)
          --size BYTES       bytes of each job's argument (default 100)
          --queues N         queues that the jobs are spread over (default 1)
          --batch N          jobs in one command: PUSH for 1, PUSHB for more (default 1)
          --rate N           push N jobs a second, and count latency from when a job was due
          --idle N           further connections that wait for jobs, ten to a worker process (default 0)
          --processes LIST   name:pid,...: CPU time and memory of these processes; by default of those of a
                             millrace dev on this machine
          --ca FILE          trust the certificate authorities in this PEM file, not those of the system
          --json             print one JSON object
          -h, --help         print this

        The exit code is 1 when a job was lost or fetched twice or the run broke off, 2 for a wrong command line.

        """
}
