import JobCore
import Manager
import MillraceServer

// Everything that `millrace` is, with three rules of our own. The closure runs in the manager's process alone, for each
// leadership anew, before anything is served.
await Millrace.main { manager in
    let uniqueness = UniqueJobs()
    manager.addMiddleware(.push, uniqueness.push)
    manager.addMiddleware(.acknowledge, uniqueness.acknowledge)
    manager.setFetcher(ThrottlingFetcher(limits: ["reports": 2]))
}
