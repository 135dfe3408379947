import Foundation
import Redis
import TestSupport
import Testing

/// Lets a Redis fail to write to its disk, so that it answers each write with `MISCONF`, as it does on a full one.
///
/// There is a directory then where its snapshot would go.
func failSnapshot(over connection: inout RedisConnection) throws {
    let directory = try connection.command("CONFIG", "GET", "dir").withElement(1) { $0.string }
    let name = try connection.command("CONFIG", "GET", "dbfilename").withElement(1) { $0.string }
    let path = "\(try #require(directory))/\(try #require(name))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try connection.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes").requireOK(to: "CONFIG SET")
    try connection.command("CONFIG", "SET", "save", "3600 1000000").requireOK(to: "CONFIG SET")
    _ = try connection.command("BGSAVE")
    let deadline = ContinuousClock.now + .seconds(120)
    while true {
        let text = try #require(try connection.command("INFO", "persistence").string)
        if text.contains("rdb_last_bgsave_status:err") { return }
        try #require(ContinuousClock.now < deadline, "the snapshot has not failed in time")
        usleep(5_000)
    }
}
