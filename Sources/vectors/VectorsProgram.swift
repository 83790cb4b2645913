import Files
import JSON
import Wire

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
        let folder = CommandLine.arguments[1]
        try Disk.posix.makeFolder(folder + "/batch")
        for vector in try BatchVectors.all {
            try write(vector.name, vector.bytes, vector.meaningText, to: folder + "/batch")
        }
        try Disk.posix.makeFolder(folder + "/frames")
        for vector in FrameVectors.all() {
            try write(vector.name, vector.bytes, Array(vector.json.utf8), to: folder + "/frames")
        }
    }

    private static func write(_ name: String, _ bytes: [UInt8], _ text: [UInt8], to folder: String) throws {
        try Disk.posix.replace(folder + "/" + name + ".bin", with: bytes)
        try Disk.posix.replace(folder + "/" + name + ".json", with: text)
    }
}

extension Vector {
    /// The text of the sibling file.
    var meaningText: [UInt8] { meaning.encoded(.indented(spaces: 2)) + [UInt8(ascii: "\n")] }
}
