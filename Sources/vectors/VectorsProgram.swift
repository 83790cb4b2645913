import Files
import JSON

/// Writes the golden vectors into the folder of protocol vectors; the same bytes every time.
///
///     swift run vectors protocol/vectors
@main
struct VectorsProgram {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: vectors FOLDER")
            return
        }
        try write(BatchVectors.all, to: CommandLine.arguments[1] + "/batch")
    }

    private static func write(_ vectors: [Vector], to folder: String) throws {
        try Disk.posix.makeFolder(folder)
        for vector in vectors {
            let path = folder + "/" + vector.name
            try Disk.posix.replace(path + ".bin", with: vector.bytes)
            try Disk.posix.replace(path + ".json", with: vector.meaningText)
        }
    }
}

extension Vector {
    /// The text of the sibling file.
    var meaningText: [UInt8] { meaning.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")] }
}
