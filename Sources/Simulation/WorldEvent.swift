import Election
import JobCore

/// What happens in the simulated world.
enum WorldEvent {
    /// A process of a member hears something; an earlier process of it does not.
    case member(Int, incarnation: Int, TakeOverEvent)
    /// A message arrives, whichever process is there now.
    case message(PeerMessage, from: Int, to: Int)
    case etcd(EtcdAction, from: Int, incarnation: Int)
    case redis(RedisAction, at: Int, incarnation: Int, run: Int)
    /// A replica tries to reach its primary.
    case attach(Int, link: Int)
    /// A replica has received a whole data set, and begins to load it.
    case load(Int, link: Int)
    case loaded(Int, run: Int, link: Int)
    case rewritten(Int, run: Int, rewrite: Int)
    /// The primary's stream brings a transaction.
    case stream(LogEntry, index: Int, to: Int, link: Int)
    /// A replica has so much on disk, and says so.
    case synced(Int, length: Int, link: Int)
    case confirmed(Int, by: Int, length: Int, link: Int)
    /// The leader's loop begins a transaction.
    case write(Int, incarnation: Int, WriteTicket)
    case execute(Int, run: Int, connection: Int, write: Int, WriteTicket)
    /// The primary has the transaction on disk, and begins to wait for the replicas.
    case executed(Int, run: Int, connection: Int, SimulatedRedis.Wait)
    case waitEnds(Int, run: Int, connection: Int, wait: Int)
    case writeEnds(Int, incarnation: Int, write: Int, length: Int, WriteTicket, executedAt: Int64, replicas: MemberSet)
    case fault
    case losePower(Int)
    /// The leader is told to hand over to a member that falls behind.
    case stallHandOver
    /// The stream from one member to another is cut for some time.
    case cutStream(from: Int, to: Int, for: Int64)
    /// A host is gone for good.
    case loseHost(Int)
    case startManager(Int)
    case startRedis(Int, losesData: Bool)
    case joinNetwork(Int)
    case resumeEtcd
    case heal
    /// An operator looks whether somebody serves.
    case `operator`
}
