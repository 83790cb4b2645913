/// The section `collector:`: what only collectord needs.
package struct CollectorConfig: Sendable, Equatable {
    /// The folder of the log and the tables.
    package var data: String
    /// Where frames come in over TCP.
    package var listen = ListenAddress(host: "127.0.0.1", port: 7311)
    /// The path of the Unix socket where frames come in.
    package var socket: String
    /// Where `/metrics`, `/healthz` and `/readyz` are served.
    package var http = ListenAddress(host: "127.0.0.1", port: 7313)
    /// The file of token hashes.
    package var tokenFile: String
    /// How large a segment of the log grows.
    package var segmentBytes = 64 << 20
    /// The log is compacted this often,
    package var compactInterval = Duration.seconds(15 * 60)
    /// or when so many bytes of it are not compacted,
    package var compactBytes = 64 << 20
    /// or so many events.
    package var compactEvents = 1_000_000
    package var connectionsMax = 4096

    package init(data: String = "./data") {
        self.data = data
        socket = data + "/collector.sock"
        tokenFile = data + "/tokens"
    }

    init(_ section: inout ConfigSection) throws(ConfigError) {
        self.init(data: try section.string("data") ?? "./data")
        listen = try section.address("listen") ?? listen
        socket = try section.string("socket") ?? socket
        http = try section.address("http") ?? http
        tokenFile = try section.string("token_file") ?? tokenFile
        segmentBytes = try section.byteCount("segment_bytes", in: (1 << 20)...(1 << 32)) ?? segmentBytes
        compactInterval = try section.duration("compact_interval", atLeast: .seconds(1)) ?? compactInterval
        compactBytes = try section.byteCount("compact_bytes", in: (1 << 20)...(1 << 36)) ?? compactBytes
        compactEvents = try section.integer("compact_events", in: 1000...1_000_000_000) ?? compactEvents
        connectionsMax = try section.integer("connections_max", in: 1...1_000_000) ?? connectionsMax
    }
}
