import Config
import Files
import Foundation
import JSON
import Query
import Table
import Telemetry
import Zones

/// One question on its way: body → question → snapshot → answer.
struct QuestionCall: Sendable {
    let config: QueryConfig
    let projects: ProjectReaders
    let arrivedMicros: Int64
    let isGone: @Sendable () -> Bool

    /// - Returns: the answer's JSON, or why there is none. Any thread.
    func answer(_ body: [UInt8]) -> Result<JSONValue, Problem> {
        do {
            let started = Logger.systemClock()
            let context = QuestionContext(nowMicros: started) { name throws(ZoneError) in
                try Zone(named: name, disk: .posix)
            }
            let question = try Question(parsing: try JSONValue(parsing: body), context: context)
            let snapshot = try projects.reader(of: question.project ?? Project.defaultName).snapshot()
            var json = try QueryEngine.answer(question, snapshot, execution).json.asObject ?? JSONObject()
            var meta = json["meta"]?.asObject ?? JSONObject()
            meta["cached"] = false
            meta["elapsed_ms"] = .number(Double(Logger.systemClock() - started) / 1000)
            json["meta"] = .object(meta)
            return .success(.object(json))
        } catch QueryError.cancelled {
            return .failure(isGone() ? .clientGone : .timeout(config.timeout))
        } catch {
            return .failure(Problem(error))
        }
    }

    private var execution: Execution {
        let timeoutMicros = config.timeout.components.seconds * 1_000_000
        let deadlineMicros = arrivedMicros + timeoutMicros
        let isGone = isGone
        return Execution(
            budgetBytes: config.memoryBudgetBytes,
            isCancelled: { Logger.systemClock() > deadlineMicros || isGone() },
            parallel: { count, body in DispatchQueue.concurrentPerform(iterations: count, execute: body) })
    }
}

extension Problem {
    init(_ error: QueryError) {
        switch error {
        case .invalid(let path, let reason, let allowed):
            self.init(
                status: 400, code: "invalid_query", message: reason, path: path.isEmpty ? nil : path, allowed: allowed)
        case .mixedCurrencies(let path, let currencies):
            self.init(
                status: 400, code: "mixed_currencies", message: error.reason, path: path, allowed: currencies)
        case .sumTooLarge(let path):
            self.init(status: 400, code: "sum_too_large", message: error.reason, path: path)
        case .overBudget:
            self.init(status: 413, code: "over_budget", message: error.reason)
        case .cancelled:
            self.init(status: 503, code: "unavailable", message: error.reason)
        }
    }
}
