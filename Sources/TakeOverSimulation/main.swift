import Simulation
if CommandLine.arguments[1] == "trace" {
    let seed = UInt64(CommandLine.arguments[2])!
    var world = TakeOverWorld(seed: seed, memberCount: [3, 3, 3, 5, 1][Int(seed % 5)], mutation: CommandLine.arguments.count > 3 ? Mutation(rawValue: CommandLine.arguments[3]) : nil, isTraced: true)
    print(world.run())
    for line in world.trace ?? [] { print(line) }
    fatalError()
}

let count = Int(CommandLine.arguments[1])!
let first = UInt64(CommandLine.arguments[2])!
let mutation = CommandLine.arguments.count > 3 ? Mutation(rawValue: CommandLine.arguments[3]) : nil
var failures = 0, acks = 0, leaders = 0
var worst: Int64 = 0
for seed in first..<first + UInt64(count) {
    var world = TakeOverWorld(seed: seed, memberCount: [3, 3, 3, 5, 1][Int(seed % 5)], mutation: mutation)
    let outcome = world.run()
    acks += outcome.acknowledgedCount; leaders += outcome.leadershipCount
    worst = max(worst, outcome.recoveryTime)
    if let violation = outcome.violation { failures += 1; if failures < 20 { print(seed, violation) } }
}
print("\(count - failures) passed, \(failures) failed", acks, leaders, worst / 1_000_000)
