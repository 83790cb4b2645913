import Bytes
import Config
import Files
import Foundation
import JSON

/// What every command that talks to queryd takes: the place and the token.
struct QueryAccess {
    static let options: [CommandSyntax.Option] = [
        .values("config", "file", help: "A YAML file of the daemons, for the place of queryd and the data folder."),
        .value("data", "folder", help: "The data folder, where a token may lie; ./data by default."),
        .value("address", "host:port", help: "Where queryd answers; 127.0.0.1:7312 by default."),
        .value("token", "text", help: "The token to show; TIDEMARK_TOKEN by default, else the one in the file."),
        .value("token-file", "path", help: "The file of the token; <data>/query.token by default."),
    ]

    let address: ListenAddress
    /// nil: there is none to show.
    let token: String?
    private let dataFolder: String

    init(_ arguments: CommandArguments, environment: [String: String], disk: Disk) throws {
        let paths = arguments.values("config")
        let config = try ConfigFiles(paths: paths, environment: environment, disk: disk).query()
        dataFolder = arguments.value("data") ?? config.data
        address = try arguments.value("address", expected: "host:port", { ListenAddress($0) }) ?? config.listen
        if let text = arguments.value("token") {
            token = text
        } else if let path = arguments.value("token-file") {
            token = try CollectorAccess.token(path, disk: disk)
        } else if let text = environment["TIDEMARK_TOKEN"], !text.isEmpty {
            token = text
        } else {
            let path = dataFolder + "/query.token"
            token = disk.exists(path) ? try CollectorAccess.token(path, disk: disk) : nil
        }
    }

    /// What queryd answers, if it answers well.
    /// - Throws: `.queryFailed` with what it refuses, `.tokenRefused` if it wants another token.
    func post(_ path: String, _ body: [UInt8], deadlineMillis: UInt64) throws -> JSONValue {
        let reply = try HTTPCall.post(address, path: path, json: body, token: token, deadlineMillis: deadlineMillis)
        let answer: JSONValue
        do { answer = try JSONValue(parsing: reply.body) } catch {
            throw CommandError.malformedReply(place: "\(address)", reason: "status \(reply.status), not JSON")
        }
        guard reply.status != 401 else {
            throw CommandError.tokenRefused(
                place: "\(address)", hasToken: token != nil, usualPath: dataFolder + "/query.token")
        }
        guard (200..<300).contains(reply.status) else { throw Self.refusal(reply.status, answer) }
        return answer
    }

    private static func refusal(_ status: Int, _ answer: JSONValue) -> CommandError {
        let error = answer["error"]
        return .queryFailed(
            status: status, code: error?["code"]?.asString ?? "error",
            message: error?["message"]?.asString ?? answer.description.shortened, path: error?["path"]?.asString,
            allowed: (error?["allowed"]?.asArray ?? []).map { $0.asString ?? $0.description })
    }
}
