// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "millrace-with-rules",
    dependencies: [
        // In a package of your own: .package(url: "…", from: "0.1.0")
        .package(name: "millrace", path: "../../..")
    ],
    targets: [
        .executableTarget(
            name: "millrace-with-rules",
            dependencies: [.product(name: "MillraceServer", package: "millrace")]
        )
    ]
)
