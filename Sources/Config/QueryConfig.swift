import Glibc

/// The section `query:`: what only queryd needs.
package struct QueryConfig: Sendable, Equatable {
    /// The folder of the log and the tables: the collector's.
    package var data = "./data"
    /// Where the API is served.
    package var listen = ListenAddress(host: "127.0.0.1", port: 7312)
    /// The file of token hashes: the collector's.
    package var tokenFile = "./data/tokens"
    /// Names under which the API may be called, besides the loopback's and that of `listen`: `name`, `name:port`, or
    /// with `https://` before it where something in front does TLS.
    package var hosts: [String] = []
    /// Certificate and key; nil: no TLS.
    package var tls: TLSFiles?
    /// Whether an address that others reach may be served without TLS.
    package var isInsecureAllowed = false
    /// Threads that scan; as many as the machine has cores.
    package var threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// Memory that one question may take for what it gathers.
    package var memoryBudgetBytes = 512 << 20
    /// Memory for the rows of the log that are not compacted yet, for each project.
    package var tailMemoryBytes = 256 << 20
    /// Memory for answers that may be asked for again.
    package var cacheMemoryBytes = 64 << 20
    /// After which a question is given up.
    package var timeout = Duration.seconds(60)

    /// PEM files.
    package struct TLSFiles: Sendable, Equatable {
        package let certificate: String
        package let key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    package init(data: String = "./data") {
        self.data = data
        tokenFile = data + "/tokens"
    }

    /// - Parameter collectorSection: whose data folder is the default; its other keys are not looked at.
    init(_ section: inout ConfigSection, collectorSection: inout ConfigSection) throws(ConfigError) {
        if let own = try section.string("data") {
            data = own
        } else {
            data = try collectorSection.string("data") ?? data
        }
        let collectorTokens = try collectorSection.string("token_file")
        tokenFile = try section.string("token_file") ?? collectorTokens ?? data + "/tokens"
        hosts = try section.strings("hosts") ?? hosts
        tls = try section.section("tls", Self.tlsFiles)
        isInsecureAllowed = try section.bool("insecure") ?? isInsecureAllowed
        listen = try section.address("listen") ?? listen
        threads = try section.integer("threads", in: 1...1024) ?? threads
        memoryBudgetBytes = try section.byteCount("memory_budget", in: (16 << 20)...(1 << 40)) ?? memoryBudgetBytes
        tailMemoryBytes = try section.byteCount("tail_memory", in: (16 << 20)...(1 << 40)) ?? tailMemoryBytes
        cacheMemoryBytes = try section.byteCount("cache_memory", in: 0...(1 << 40)) ?? cacheMemoryBytes
        timeout = try section.duration("timeout", atLeast: .milliseconds(100)) ?? timeout
    }

    private static func tlsFiles(_ section: inout ConfigSection) throws(ConfigError) -> TLSFiles? {
        let certificate = try section.string("certificate")
        let key = try section.string("key")
        guard let certificate, let key else {
            if certificate == nil, key == nil { return nil }
            try section.rejectUnknownKeys()
            throw section.missing(key == nil ? "key" : "certificate", expected: "a file, since TLS needs both")
        }
        return TLSFiles(certificate: certificate, key: key)
    }
}
