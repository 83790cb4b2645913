import Files

/// How many connections the process's limit of descriptors leaves room for.
enum DescriptorLimit {
    /// For the log, the tables, the compaction child, HTTP, and what the libraries hold.
    private static let reserved = 64

    /// At least 1. Reads /proc/self/limits, since nothing else says it without unsafe code.
    static func connectionsMax(disk: Disk) throws -> Int {
        // A file of procfs has no size, so it is read as one piece.
        let file = try File.open("/proc/self/limits", .readOnly, disk: disk)
        let text = String(decoding: try file.read(at: 0, count: 1 << 14), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        let fields = line?.split(separator: " ") ?? []
        guard fields.count > 3, let limit = Int(fields[3]) else { return .max }
        return max(1, limit - reserved)
    }
}
