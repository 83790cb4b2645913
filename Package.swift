// swift-tools-version: 6.2
import Foundation
import PackageDescription

// One settings array for every Swift target.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),  // every unsafe use is marked and can be counted
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),  // lets `rawSpan` return a borrowed span
]

// While the skeleton grows, a target counts from the moment its folder exists.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

func isPresent(_ name: String) -> Bool {
    ["Sources/", "Tests/"].contains { FileManager.default.fileExists(atPath: root + "/" + $0 + name) }
}

func present(_ names: [String]) -> [Target.Dependency] { names.filter(isPresent).map { .target(name: $0) } }

func library(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(name: name, dependencies: present(dependencies), swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(name: name, dependencies: present(dependencies), swiftSettings: settings)
}

/// Programs in other languages that judge what ours wrote.
func judges(_ name: String) -> [String] { isPresent(name + "Tests/judges") ? ["judges"] : [] }

func tests(_ name: String, _ dependencies: [String]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: present(dependencies + ["TestSupport"]), exclude: judges(name),
        swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

// Targets stand in the order of the arrows: each depends only on those above it.
let targets: [Target] = [
    .systemLibrary(name: "CChecksum"),  // a header of our own: CRC32C by the SSE4.2 instruction
    .systemLibrary(name: "CAllocator"),  // glibc's allocator settings
    system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    system("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
    system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
    system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
    system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),

    library("Bytes", ["CChecksum"]),
    library("Files", ["Bytes"]),
    library("Zstd", ["CZstd", "Bytes"]),
    library("JSON", ["Bytes"]),
    library("Zones", ["Bytes", "Files"]),
    library("Events", ["Bytes", "JSON", "Zstd"]),
    library("Wire", ["Events", "Bytes"]),
    library("WAL", ["Files", "Zstd", "Bytes"]),
    library("Parquet", ["Files", "Zstd", "Bytes"]),
    library("Table", ["Parquet", "WAL", "Events", "Zones", "JSON", "Files", "Zstd", "Bytes"]),
    library("Query", ["Table", "Zones", "JSON", "Events", "Bytes"]),

    library("Crypto", ["CCrypto", "Bytes"]),
    library("EventLoop", ["CUV"]),
    library("HTTPServer", ["CMicroHTTPD"]),
    library("Config", ["CYAML", "Files", "Bytes"]),
    library("Telemetry", ["JSON", "Zones", "Bytes"]),

    library(
        "Collector",
        [
            "EventLoop", "HTTPServer", "Config", "Telemetry", "Crypto", "Wire", "Table", "WAL", "Events", "JSON",
            "Zstd", "Files", "Bytes",
        ]),
    library(
        "QueryServer",
        ["CAllocator", "HTTPServer", "Config", "Telemetry", "Query", "Table", "WAL", "Zones", "JSON", "Files"]),
    library(
        "CommandLine",
        [
            "EventLoop", "Config", "Telemetry", "Crypto", "CZlib", "Wire", "WAL", "Table", "Parquet", "Events", "JSON",
            "Zones", "Files", "Zstd", "Bytes",
        ]),

    program("collectord", ["Collector"]),
    program("queryd", ["QueryServer"]),
    program("tidemark", ["CommandLine"]),
    program("vectors", ["Wire", "Events", "JSON", "Files", "Bytes"]),

    .target(name: "TestSupport", dependencies: ["Files", "Bytes"], path: "Tests/TestSupport", swiftSettings: settings),
    tests("Bytes", ["Bytes"]),
    tests("Files", ["Files"]),
    tests("Zstd", ["Zstd"]),
    tests("JSON", ["JSON"]),
    tests("Zones", ["Zones"]),
    tests("Events", ["Events", "JSON", "Files", "Zstd", "vectors"]),
    tests("Wire", ["Wire", "JSON"]),
    tests("WAL", ["WAL", "Events"]),
    tests("Parquet", ["Parquet"]),
    tests("Table", ["Table"]),
    tests("Query", ["Query"]),
    tests("Crypto", ["Crypto"]),
    tests("EventLoop", ["EventLoop"]),
    tests("HTTPServer", ["HTTPServer"]),
    tests("Config", ["Config"]),
    tests("Telemetry", ["Telemetry"]),
    tests("Collector", ["Collector"]),
    tests("QueryServer", ["QueryServer", "Events", "WAL", "Table", "Config", "Telemetry", "JSON", "Bytes"]),
    tests("CommandLine", ["CommandLine", "EventLoop", "Wire", "WAL", "Table", "Parquet", "Events", "Files", "Bytes"]),
    tests("Tidy", ["Bytes"]),
    tests("EndToEnd", ["Wire", "WAL", "Table", "Query", "JSON"]),
]

let package = Package(name: "tidemark", targets: targets.filter { isPresent($0.name) })
