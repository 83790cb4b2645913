import Config
import Files
import Foundation
import JSON

extension Command {
    /// `tidemark login`.
    static let login = Command(
        "login", "Print a link that logs a browser in to queryd.",
        notes: "The link is good once and for ten minutes; the login lasts 30 days or until the token is revoked.",
        examples: ["tidemark login", "tidemark login --address 127.0.0.1:7312 --token-file ana.token"],
        options: QueryAccess.options,
        run: { invocation in
            let environment = ProcessInfo.processInfo.environment
            let access = try QueryAccess(invocation.arguments, environment: environment, disk: .posix)
            let answer = try access.post("/v1/login-links", Array("{}".utf8), deadlineMillis: 10_000)
            guard let url = answer["url"]?.asString else {
                throw CommandError.malformedReply(place: "\(access.address)", reason: "no link in the answer")
            }
            try invocation.console.print(url)
            return .done
        })
}
