// swift-tools-version: 6.2
import PackageDescription

// One settings array for every Swift target.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),  // every unsafe use is marked and can be counted
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),  // lets `rawSpan` return a borrowed span
]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Tests of a module. Folders named `judges` hold programs in other languages that judge what ours wrote.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

// Targets stand in the order of the arrows: each depends only on those above it.
let package = Package(
    name: "tidemark",
    targets: [
        .systemLibrary(name: "CChecksum"),  // a header of our own: CRC32C by the SSE4.2 instruction
        .systemLibrary(name: "CAllocator"),  // glibc's allocator settings
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CPQ", pkgConfig: "libpq", apt: "libpq-dev"),

        library("Bytes", ["CChecksum"]),
        library("Files", ["Bytes"]),
        library("Zstd", ["CZstd"]),
        library("JSON", ["Bytes"]),
        library("Zones", ["Bytes", "Files"]),
        library("Events", ["Bytes", "JSON", "Zstd"]),
        library("Wire", ["Bytes"]),
        library("WAL", ["Files", "Zstd", "Bytes"]),
        library("Parquet", ["Files", "Zstd", "Bytes"]),
        library("Table", ["Parquet", "WAL", "Events", "Zones", "JSON", "Files", "Bytes"]),
        library("Query", ["Table", "Events", "Zones", "JSON", "Bytes"]),

        library("Crypto", ["CCrypto", "Bytes"]),
        library("Gzip", ["CZlib"]),
        library("Access", ["Crypto", "Table", "JSON", "Files", "Bytes"]),
        library("EventLoop", ["CUV"]),
        library("HTTPServer", ["CMicroHTTPD"]),
        library("Config", ["CYAML", "JSON", "Files", "Bytes"]),
        library("Telemetry", ["Zones", "JSON", "Bytes"]),
        library("Metadata", ["CSQLite", "CPQ", "JSON", "Files"]),

        library(
            "Collector",
            [
                "EventLoop", "HTTPServer", "Config", "Telemetry", "Access", "Crypto", "Wire", "Table", "WAL", "Events",
                "JSON", "Zstd", "Files", "Bytes",
            ]),
        library(
            "QueryServer",
            [
                "CAllocator", "HTTPServer", "Config", "Telemetry", "Metadata", "Access", "Gzip", "Crypto", "Query",
                "Table", "WAL", "Zones", "JSON", "Files", "Bytes",
            ], resources: [.copy("Page"), .embedInCode("OpenAPI/query.schema.json")]),
        library(
            "CommandLine",
            [
                "EventLoop", "Config", "Telemetry", "Access", "Gzip", "Crypto", "Wire", "Table", "Parquet", "WAL",
                "Events", "Zones", "JSON", "Files", "Bytes",
            ]),

        program("collectord", ["Collector"]),
        program("queryd", ["QueryServer"]),
        program("tidemark", ["CommandLine"]),
        program("vectors", ["Wire", "Events", "JSON", "Files", "Bytes"]),

        .target(name: "TestSupport", dependencies: ["Files"], path: "Tests/TestSupport", swiftSettings: settings),
        tests("Bytes", ["TestSupport", "Bytes"]),
        tests("Files", ["TestSupport", "Files", "Bytes"]),
        tests("Zstd", ["TestSupport", "Zstd", "Bytes"]),
        tests("JSON", ["TestSupport", "JSON", "Bytes"]),
        tests("Zones", ["TestSupport", "Zones", "Files"]),
        tests("Events", ["TestSupport", "Events", "vectors", "JSON", "Zstd", "Files", "Bytes"]),
        tests("Wire", ["TestSupport", "Wire", "Bytes"]),
        tests("WAL", ["TestSupport", "WAL", "Files", "Bytes"]),
        tests("Parquet", ["TestSupport", "Parquet", "Zstd", "Files", "Bytes"], exclude: ["judges"]),
        tests(
            "Table", ["TestSupport", "Table", "Parquet", "WAL", "Events", "JSON", "Files", "Bytes"],
            exclude: ["judges"]),
        tests(
            "Query", ["TestSupport", "Query", "Table", "WAL", "Events", "Zones", "JSON", "Files", "Bytes"],
            exclude: ["judges"]),
        tests("Crypto", ["TestSupport", "Crypto", "Bytes"]),
        tests("Gzip", ["TestSupport", "Gzip"]),
        tests("Access", ["TestSupport", "Access", "Crypto", "Files", "Bytes"]),
        tests("EventLoop", ["TestSupport", "EventLoop"]),
        tests("HTTPServer", ["TestSupport", "HTTPServer"]),
        tests("Config", ["TestSupport", "Config", "JSON", "Files"]),
        tests("Telemetry", ["Telemetry", "JSON"]),
        tests("Metadata", ["TestSupport", "Metadata", "JSON", "Files"]),
        tests(
            "Collector",
            ["TestSupport", "Collector", "Telemetry", "Access", "Wire", "WAL", "Events", "Files", "Bytes"]),
        tests(
            "QueryServer",
            [
                "TestSupport", "QueryServer", "HTTPServer", "Config", "Telemetry", "Metadata", "Access", "Gzip",
                "Crypto", "Query", "Table", "WAL", "Events", "Zones", "JSON", "Files", "Bytes",
            ]),
        tests(
            "CommandLine",
            [
                "TestSupport", "CommandLine", "EventLoop", "Config", "Access", "Crypto", "Wire", "Table", "Parquet",
                "WAL", "Events", "Zones", "JSON", "Files", "Bytes",
            ]),
        tests("Tidy", ["Bytes"]),
        tests(
            "EndToEnd", ["TestSupport", "Wire", "Table", "Events", "JSON", "Zstd", "Files", "Bytes"],
            exclude: ["judges"]),
    ])
