import Crypto
import Files

/// The data folder's lock: one writer.
struct DataFolder: ~Copyable {
    private let lock: File

    enum Failure: Error, CustomStringConvertible {
        case inUse(String)
        var description: String {
            switch self {
            case .inUse(let path): "\(path): another process holds the lock of this data folder"
            }
        }
    }

    /// Makes the folder if need be and takes its lock, which ends with the value or the process.
    static func lock(_ path: String, disk: Disk) throws -> DataFolder {
        try disk.makeFolder(path)
        let file = try File.open(path + "/lock", .createOrOpen(0o600), disk: disk)
        guard try file.lock(wait: false) else { throw Failure.inUse(path) }
        return DataFolder(lock: file)
    }

    private init(lock: consuming File) { self.lock = lock }
}

func secureRandom(_ count: Int) -> [UInt8] { secureRandomBytes(count: count) }
