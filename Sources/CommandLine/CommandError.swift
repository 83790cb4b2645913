import Bytes

/// How a command ended, for the shell.
package enum ExitCode: Int32, Sendable {
    case done = 0
    case failed = 1
    /// Some of it was not done, or the log ends torn.
    case partial = 2
    /// What is stored is damaged.
    case corrupt = 3
    /// EX_USAGE of sysexits.h.
    case usage = 64
}

/// Why a command could not do its work. One case per cause; each says what to try.
enum CommandError: Error, Equatable, CustomStringConvertible {
    case usage(String)
    case projectName(String)
    case unreachable(place: String, reason: String)
    case connectionLost(place: String)
    /// The HTTP server took the connection and said nothing.
    case hungUp(place: String)
    /// The collector ended the connection for good.
    case refused(place: String, reason: String)
    /// Nothing became durable for this long.
    case stalled(place: String, seconds: Int, lastRefusal: String?)
    case adminFailed(verb: String, reason: String)
    case malformedReply(place: String, reason: String)
    case tokenMissing(path: String)
    /// queryd does not know the token, or wants one; `usualPath` is where collectord leaves one.
    case tokenRefused(place: String, hasToken: Bool, usualPath: String)
    case unreadableInput(path: String, reason: String)
    case nothingThere(path: String, expected: String)
    /// `allowed`: what would have been taken instead.
    case queryFailed(status: Int, code: String, message: String, path: String?, allowed: [String])

    var description: String {
        switch self {
        case .usage(let text): text
        case .projectName(let name):
            "\"\(name)\" is no project's name: a to z, digits and hyphens, at most \(Limits.projectNameBytesMax)"
        case .unreachable(let place, let reason): "nothing answers at \(place) (\(reason)): is the daemon running?"
        case .connectionLost(let place): "\(place) closed the connection before it answered"
        case .hungUp(let place):
            "\(place) closed the connection before it answered: if it has TLS, ask it with curl (docs/operations.md)"
        case .refused(let place, let reason): "\(place) refused: \(reason)"
        case .stalled(let place, let seconds, let refusal):
            "\(place) stored nothing for \(seconds) s" + (refusal.map { "; it last said \($0)" } ?? "")
        case .adminFailed(let verb, let reason): "\(verb) failed: \(reason)"
        case .malformedReply(let place, let reason): "\(place) gave an answer that makes no sense: \(reason)"
        case .tokenMissing(let path):
            "no token at \(path): collectord writes it at its first start; --token-file names another"
        case .tokenRefused(let place, let hasToken, let usualPath):
            "\(place) " + (hasToken ? "does not know the token" : "wants a token, and there is none at \(usualPath)")
                + ": give --token, --token-file or TIDEMARK_TOKEN; `tidemark token create --role read` makes one"
        case .unreadableInput(let path, let reason): "\(path): \(reason)"
        case .nothingThere(let path, let expected): "\(path): \(expected)"
        case .queryFailed(let status, let code, let message, let path, let allowed):
            "\(status) \(code)" + (path.map { $0.isEmpty ? "" : " at \($0)" } ?? "") + ": \(message)"
                + (allowed.isEmpty ? "" : "; allowed: " + allowed.joined(separator: ", "))
        }
    }

    var exitCode: ExitCode {
        switch self {
        case .usage, .projectName: .usage
        default: .failed
        }
    }
}
