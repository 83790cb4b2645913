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

    /// The question with the project that it is about, which the body may name instead of the call.
    /// - Throws: 403 `forbidden` if the caller may not see it.
    func body(_ call: Call) throws -> JSONValue {
        let body = try call.bodyAsJSON()
        guard var object = body.asObject else { return body }
        switch object["project"] {
        case nil: object["project"] = .string(call.project)
        case .string(let name)?: _ = try call.principal.project(named: name)
        default: break  // the question's reader says what is wrong
        }
        return .object(object)
    }

    /// - Returns: the answer's JSON. Any thread.
    func answer(_ body: JSONValue) throws -> JSONValue {
        let started = Logger.systemClock()
        let question = try Question(parsing: body, context: QuestionContext(atMicros: started))
        let snapshot = try projects.reader(of: question.project ?? Project.defaultName).snapshot()
        var json = try answer(question, snapshot).json.asObject ?? JSONObject()
        var meta = json["meta"]?.asObject ?? JSONObject()
        meta["cached"] = false
        meta["elapsed_ms"] = .number(Double(Logger.systemClock() - started) / 1000)
        json["meta"] = .object(meta)
        return .object(json)
    }

    /// The answer to a question that was read, within this call's time and memory. Any thread.
    func answer(_ question: Question, _ snapshot: Snapshot) throws -> Answer {
        do {
            return try QueryEngine.answer(question, snapshot, execution)
        } catch QueryError.cancelled {
            throw isGone() ? Problem.clientGone : .timeout(config.timeout)
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
