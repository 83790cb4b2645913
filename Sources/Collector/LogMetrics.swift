import Telemetry

/// What the log's thread counts.
struct LogMetrics: Sendable {
    let eventsDurable: Counter
    let batchesNotTaken: Counter
    let groupsFailed: Counter
    let acknowledgedUnknown: Counter
    let freeingsFailed: Counter
    let commitSeconds: Histogram
    let segments: Gauge
    let recordBytes: Gauge
    let logEvents: Gauge
    let lastRecord: Gauge
    let planViolations: PlanViolations

    init(_ registry: MetricsRegistry) {
        eventsDurable = registry.counter(
            "tidemark_events_durable_total", help: "Events written to the log and synced, excluded ones included.")
        batchesNotTaken = registry.counter(
            "tidemark_batches_not_taken_total",
            help: "Batches that were resends, out of turn, or discarded after a NACK.")
        acknowledgedUnknown = registry.counter(
            "tidemark_acknowledged_unknown_total",
            help: "Times a sender knew of acknowledged events that the log does not have. Anything but 0 is an alarm.")
        groupsFailed = registry.counter(
            "tidemark_groups_failed_total", help: "Commit groups that could not be written.")
        freeingsFailed = registry.counter(
            "tidemark_log_freeings_failed_total", help: "Times that published segments could not be unlinked.")
        commitSeconds = registry.histogram(
            "tidemark_commit_seconds", help: "Time to write and sync one commit group.",
            bounds: Histogram.secondsBounds)
        segments = registry.gauge("tidemark_log_segments", help: "Segments of the log.")
        recordBytes = registry.gauge("tidemark_log_record_bytes", help: "Bytes of records in the log, not yet freed.")
        logEvents = registry.gauge("tidemark_log_events", help: "Events in the log, not yet freed.")
        lastRecord = registry.gauge("tidemark_log_last_record", help: "Sequence of the last durable record.")
        planViolations = PlanViolations(registry)
    }
}
