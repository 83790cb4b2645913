import Config
import EventLoop
import Files
import JSON

/// Where a daemon answers.
enum CollectorPlace: Equatable, Sendable, CustomStringConvertible {
    case tcp(ListenAddress)
    case unix(path: String)

    var description: String {
        switch self {
        case .tcp(let address): address.description
        case .unix(let path): path
        }
    }

    /// - Parameter onConnect: called exactly once, from the loop.
    func connect(_ loop: Loop, withinMillis deadlineMillis: UInt64, onConnect: @escaping Stream.ConnectHandler) {
        switch self {
        case .tcp(let address):
            Stream.connect(
                loop, host: address.host, port: Int(address.port), withinMillis: deadlineMillis, onConnect: onConnect)
        case .unix(let path):
            Stream.connect(loop, unixPath: path, withinMillis: deadlineMillis, onConnect: onConnect)
        }
    }
}

/// What every command that talks to the collector takes: the data folder, the place, the token.
struct CollectorAccess {
    static let dataOption = CommandSyntax.Option.value("data", "folder", help: "The data folder; ./data by default.")
    private static let configOption = CommandSyntax.Option.values(
        "config", "file", help: "A YAML file of the daemons, for the data folder and the places.")
    private static let socketOption = CommandSyntax.Option.value(
        "socket", "path", help: "The collector's Unix socket; <data>/collector.sock by default.")
    static let options: [CommandSyntax.Option] = [
        dataOption, configOption, socketOption,
        .value("address", "host:port", help: "Where the collector answers, instead of its Unix socket."),
        .value("token-file", "path", help: "The file of the token; <data>/default.token by default."),
        .value("project", "name", help: "The project; default by default."),
    ]
    static let adminOptions = [
        dataOption, configOption, socketOption,
        .value("token-file", "path", help: "The file of the admin token; <data>/admin.token by default."),
    ]

    let dataFolder: String
    let socket: String
    let tokenFile: String
    private let listen: ListenAddress

    /// Reads `--config`, `--data` and `--socket`.
    init(_ arguments: CommandArguments, environment: [String: String], disk: Disk) throws {
        var config = CollectorConfig(data: arguments.value("data") ?? "./data")
        let paths = arguments.values("config")
        if !paths.isEmpty {
            config = try ConfigFiles(paths: paths, environment: environment, disk: disk).collector()
            if let data = arguments.value("data") {
                config.data = data
                config.socket = data + "/collector.sock"
                config.tokenFile = data + "/tokens"
            }
        }
        dataFolder = config.data
        socket = arguments.value("socket") ?? config.socket
        tokenFile = config.tokenFile
        listen = config.listen
    }

    /// Where batches go: what `--address` or `--socket` names, else the socket if it is there, else the default port.
    func ingestPlace(_ arguments: CommandArguments, disk: Disk) throws(UsageError) -> CollectorPlace {
        if let address = try arguments.value("address", expected: "host:port", { ListenAddress($0) }) {
            return .tcp(address)
        }
        if arguments.value("socket") != nil || disk.exists(socket) { return .unix(path: socket) }
        return .tcp(listen)
    }

    /// - Parameter name: of the file in the data folder, if `--token-file` names none.
    func token(_ arguments: CommandArguments, ifAbsent name: String, disk: Disk) throws -> String {
        let path = arguments.value("token-file") ?? dataFolder + "/" + name
        return try Self.token(path, disk: disk)
    }

    /// The admin token that lies in the data folder.
    func adminToken(disk: Disk) throws -> String { try Self.token(dataFolder + "/admin.token", disk: disk) }

    /// The admin token that `--token-file` names, else the one in the data folder.
    func adminToken(_ arguments: CommandArguments, disk: Disk) throws -> String {
        try token(arguments, ifAbsent: "admin.token", disk: disk)
    }

    /// Has the project's table take in what its log holds.
    /// - Returns: what the collector answers: of all that the log held. nil, with a note, if it cannot be asked or
    ///   fails: what was sent is durable all the same.
    func publish(_ project: String, console: Console, disk: Disk) -> JSONValue? {
        do {
            return try AdminClient.request(
                "publish", ["project": .string(project)], socket: socket, token: try adminToken(disk: disk))
        } catch {
            console.note("stored, but not published now: \(error)")
            return nil
        }
    }

    /// The first word of a file.
    static func token(_ path: String, disk: Disk) throws -> String {
        guard let bytes = try disk.contentsIfPresent(path, limit: 4096) else {
            throw CommandError.tokenMissing(path: path)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let token = text.split(whereSeparator: \.isWhitespace).first else {
            throw CommandError.tokenMissing(path: path)
        }
        return String(token)
    }
}
