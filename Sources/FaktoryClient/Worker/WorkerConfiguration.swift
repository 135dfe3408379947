/// How a worker works.
public struct WorkerConfiguration: Sendable {
    /// The server. If it holds no identity, the worker gives itself one.
    public var client: ClientConfiguration
    /// From which queues jobs are taken.
    public var queues: QueueSelection
    /// How many jobs are done at the same time.
    public var concurrency: Int
    /// How often the server hears that the worker lives. Servers give a silent one up after 60 s.
    public var heartbeatInterval: Duration
    /// How long running jobs may go on once the worker has been told to end.
    public var shutdownTimeout: Duration
    /// How long to wait when the server cannot be reached; a running worker goes on trying for ever.
    public var reconnection: Backoff
    /// What is done around every job, the outermost first.
    public var middleware: [any JobMiddleware]

    /// Ten jobs at a time from `default`, unless told otherwise.
    public init(client: ClientConfiguration, queues: QueueSelection = .strict([JobRequest.defaultQueue])) {
        self.client = client
        self.queues = queues
        self.concurrency = 10
        self.heartbeatInterval = .seconds(15)
        self.shutdownTimeout = .seconds(25)
        self.reconnection = Backoff()
        self.middleware = []
    }
}
