import Foundation

/// The folder of files that come with the program: SwiftPM puts it beside the executable, that of the tests too.
enum ResourceFolder {
    static let path = (executable as NSString).deletingLastPathComponent + "/tidemark_QueryServer.resources"

    static let page = path + "/Page"

    private static var executable: String {
        let link = "/proc/self/exe"
        do { return try FileManager.default.destinationOfSymbolicLink(atPath: link) } catch {
            return CommandLine.arguments.first ?? link
        }
    }
}
