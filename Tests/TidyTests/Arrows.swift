/// Which module may import which: the code map of ARCHITECTURE.md as data.
///
/// Modules stand in the order of the arrows: each imports only modules above it.
enum Arrows {
    struct Module {
        let name: String
        let imports: Set<String>

        init(_ name: String, _ imports: String) {
            self.name = name
            self.imports = Set(imports.split(separator: " ").map(String.init))
        }
    }

    static let system: Set<String> = ["Foundation", "Glibc", "Synchronization"]

    /// Pure code: no sockets, threads, clock or globals; the disk only through `Files`.
    static let belowTheLine = [
        Module("Bytes", "CChecksum"),
        Module("Files", "Bytes Glibc"),
        Module("Zstd", "CZstd"),
        Module("JSON", "Bytes"),
        Module("Zones", "Bytes Files"),
        Module("Events", "Bytes JSON Zstd"),
        Module("Wire", "Bytes"),
        Module("WAL", "Files Zstd Bytes"),
        Module("Parquet", "Files Zstd Bytes"),
        Module("Table", "Parquet WAL Events Zones JSON Files Bytes Synchronization"),
        Module("Query", "Table Events Zones JSON Bytes Synchronization"),
    ]

    static let effects = [
        Module("Crypto", "CCrypto Bytes"),
        Module("Gzip", "CZlib"),
        Module("Access", "Crypto Table JSON Files Bytes Synchronization"),
        Module("EventLoop", "CUV Glibc Synchronization"),
        Module("HTTPServer", "CMicroHTTPD Glibc Synchronization"),
        Module("Config", "CYAML JSON Files Bytes Glibc"),
        Module("Telemetry", "Zones JSON Bytes Glibc Synchronization"),
        Module("Metadata", "CSQLite CPQ JSON Files Glibc Synchronization"),
    ]

    static let shells = [
        Module(
            "Collector",
            "EventLoop HTTPServer Config Telemetry Access Crypto Wire Table WAL Events JSON Zstd Files Bytes "
                + "Foundation Synchronization"),
        Module(
            "QueryServer",
            "CAllocator HTTPServer Config Telemetry Metadata Access Gzip Crypto Query Table WAL Zones JSON Files "
                + "Bytes Foundation Glibc Synchronization"),
        Module(
            "CommandLine",
            "EventLoop Config Telemetry Access Gzip Crypto Wire Table Parquet WAL Events Zones JSON Files Bytes "
                + "Foundation Glibc Synchronization"),
    ]

    static let programs = [
        Module("collectord", "Collector Foundation"),
        Module("queryd", "QueryServer Foundation"),
        Module("tidemark", "CommandLine Foundation"),
        Module("vectors", "Wire Events JSON Files Bytes"),
    ]

    static let all = belowTheLine + effects + shells + programs
}
