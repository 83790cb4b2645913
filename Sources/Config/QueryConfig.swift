import Glibc

/// The section `query:`: what only queryd needs.
package struct QueryConfig: Sendable, Equatable {
    /// The folder of the log and the tables: the collector's.
    package var data = "./data"
    /// Where the API is served.
    package var listen = ListenAddress(host: "127.0.0.1", port: 7312)
    /// Threads that scan; as many as the machine has cores.
    package var threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// Memory that one question may take for what it gathers.
    package var memoryBudgetBytes = 512 << 20
    /// Memory for the rows of the log that are not compacted yet, for each project.
    package var tailMemoryBytes = 256 << 20
    /// After which a question is given up.
    package var timeout = Duration.seconds(60)

    package init() {}

    /// - Parameter collectorSection: whose data folder is the default; its other keys are not looked at.
    init(_ section: inout ConfigSection, collectorSection: inout ConfigSection) throws(ConfigError) {
        if let own = try section.string("data") {
            data = own
        } else {
            data = try collectorSection.string("data") ?? data
        }
        listen = try section.address("listen") ?? listen
        threads = try section.integer("threads", in: 1...1024) ?? threads
        memoryBudgetBytes = try section.byteCount("memory_budget", in: (16 << 20)...(1 << 40)) ?? memoryBudgetBytes
        tailMemoryBytes = try section.byteCount("tail_memory", in: (16 << 20)...(1 << 40)) ?? tailMemoryBytes
        timeout = try section.duration("timeout", atLeast: .milliseconds(100)) ?? timeout
    }
}
