// swift-tools-version: 6.1
import PackageDescription

// The picture of the architecture: a target imports only what stands below it.
//
//   4  MillraceServer (and the executable millrace)   the composition root
//   3  Front  Manager  Scheduler  WebUI  FaktoryClient  Simulation
//   2  ClusterLinkZeroMQ  JobStorageRedis  ElectionEtcd
//   1  FaktoryWire  ClusterLink  JobStorage  Election | ZeroMQ  Redis
//   0  JobCore                                        | CZeroMQ  CHiredis  ThreadConfinement  ProcessFigures

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

func ours(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["millrace"]),
        .library(name: "MillraceServer", targets: ["MillraceServer", "Manager", "JobCore"]),
        .library(name: "FaktoryClient", targets: ["FaktoryClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // 0
        ours("JobCore"),
        ours("ThreadConfinement"),
        ours("ProcessFigures"),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLinux"),

        // 1
        ours("FaktoryWire", ["JobCore", nioCore, crypto]),
        ours("ClusterLink", ["JobCore"]),
        ours("JobStorage", ["JobCore"]),
        ours("Election", ["JobCore"]),
        ours("ZeroMQ", ["CZeroMQ"]),
        ours("Redis", ["CHiredis"]),

        // 2
        ours("JobStorageRedis", ["JobStorage", "Election", "JobCore", "Redis", "ThreadConfinement"]),
        ours("ClusterLinkZeroMQ", ["ClusterLink", "Election", "JobCore", "ZeroMQ", "ThreadConfinement"]),
        ours(
            "ElectionEtcd",
            [
                "Election", "JobCore", nioCore, nioHTTP1, nioSSL,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ]
        ),

        // 3
        ours(
            "Front",
            [
                "FaktoryWire", "ClusterLink", "JobCore", "ProcessFigures", nioCore, nioPosix, nioSSL, logging,
                lifecycle,
                deque,
            ]
        ),
        ours(
            "Manager",
            [
                "ClusterLink", "JobStorage", "Election", "JobCore", "ThreadConfinement", "ProcessFigures", logging,
                lifecycle,
                deque, heap, crypto,
            ]
        ),
        ours("Scheduler", ["ClusterLink", "JobCore", logging, lifecycle]),
        ours(
            "WebUI",
            [
                "ClusterLink", "FaktoryWire", "JobCore", logging, lifecycle, nioSSL, nioCore, nioHTTP1, nioTLS,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        ours("FaktoryClient", ["FaktoryWire", "JobCore", "ProcessFigures", nioCore, nioPosix, nioSSL, logging]),
        ours("Simulation", ["Election", "JobCore"]),

        // 4
        ours(
            "MillraceServer",
            [
                "Front", "Manager", "Scheduler", "WebUI", "FaktoryClient",
                "ClusterLinkZeroMQ", "JobStorageRedis", "ElectionEtcd", "ZeroMQ", "Redis",
                "FaktoryWire", "ClusterLink", "JobStorage", "Election", "JobCore", "ThreadConfinement",
                "CLinux", "ProcessFigures",
                nioCore, nioPosix, nioSSL, logging, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]
        ),
        .executableTarget(name: "millrace", dependencies: ["MillraceServer"], swiftSettings: settings),
        .executableTarget(
            name: "take-over-simulation",
            dependencies: ["Simulation"],
            path: "Sources/TakeOverSimulation",
            swiftSettings: settings
        ),
        // The example of an executable of one's own, which is a package by itself, too: built here so that it is tested.
        .executableTarget(
            name: "millrace-with-rules",
            dependencies: ["MillraceServer", "Manager", "JobCore"],
            path: "docs/examples/middleware/Sources/millrace-with-rules",
            swiftSettings: settings
        ),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests("JobCoreTests", ["JobCore"]),
        tests(
            "ManagerTests",
            ["Manager", "ClusterLink", "Election", "JobStorage", "JobCore", "TestSupport", logging, lifecycle, heap]
        ),
        tests("ThreadConfinementTests", ["ThreadConfinement"]),
        tests("ZeroMQTests", ["ZeroMQ", "ThreadConfinement", "TestSupport"]),
        tests("RedisTests", ["Redis", "ThreadConfinement", "TestSupport"]),
        tests("FaktoryWireTests", ["FaktoryWire", "JobCore", nioCore]),
        tests("JobStorageTests", ["JobStorage", "JobStorageRedis", "Redis", "JobCore", "TestSupport"]),
        tests(
            "JobStorageRedisTests",
            ["JobStorageRedis", "JobStorage", "Election", "Redis", "JobCore", "ThreadConfinement", "TestSupport"]
        ),
        tests("FaktoryClientTests", ["FaktoryClient", "FaktoryWire", "JobCore", nioCore, nioPosix, nioSSL, logging]),
        .testTarget(
            name: "Integration",
            dependencies: ["TestSupport", "ThreadConfinement", "FaktoryClient", "millrace", "millrace-with-rules"],
            exclude: ["python"],
            swiftSettings: settings
        ),
        tests("ClusterLinkTests", ["ClusterLink", "JobCore"], resources: [.copy("Golden")]),
        tests(
            "ClusterLinkZeroMQTests",
            ["ClusterLinkZeroMQ", "ClusterLink", "Election", "JobCore", "ZeroMQ", "ThreadConfinement", "TestSupport"]
        ),
        tests("ElectionEtcdTests", ["ElectionEtcd", "Election", "JobCore", "TestSupport"]),
        tests("ElectionTests", ["Election", "JobCore"]),
        tests("SimulationTests", ["Simulation", "JobCore"]),
        tests("SchedulerTests", ["Scheduler", "ClusterLink", "JobCore", logging]),
        tests(
            "FrontTests",
            [
                "Front", "Manager", "ClusterLinkZeroMQ", "ZeroMQ", "JobStorage", "Election", "FaktoryWire",
                "ClusterLink",
                "JobCore", "ProcessFigures", "ThreadConfinement", "TestSupport", nioCore, nioEmbedded, nioPosix, nioSSL,
                logging,
                lifecycle, deque,
            ]
        ),
        tests("WebUITests", ["WebUI", "ClusterLink", "JobCore", "ThreadConfinement", nioCore, nioPosix, logging]),
        tests(
            "MillraceServerTests",
            [
                "MillraceServer", "Front", "ClusterLinkZeroMQ", "ElectionEtcd", "JobStorageRedis", "Election",
                "JobCore",
                "ZeroMQ", "Redis", "CLinux", "TestSupport", nioCore, logging, lifecycle,
            ]
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "FaktoryWire", "ClusterLink", "MillraceServer", "Manager", "JobStorage", "Election", "JobCore", nioCore,
                logging,
            ],
            path: "Tests/Fuzz/Targets",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzz",
            exclude: ["Targets", "Driver"],
            sources: ["Replay"],
            resources: [.copy("Corpus")],
            swiftSettings: settings
        ),
    ]
)

// The fuzzers need libFuzzer at link time: scripts/fuzz builds them, and nothing else does.
if Context.environment["MILLRACE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "millrace-fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzz/Driver",
            swiftSettings: settings
        )
    )
}
