import Foundation

/// The files of the repository that these tests stand in.
struct Tree {
    let root: String
    /// Every text file, from the root, sorted.
    let paths: [String]

    /// What is made by building and running, or is not text.
    private static let skippedNames: Set<String> = [
        ".build", ".git", ".venv", ".tools", "__pycache__", ".pytest_cache", ".hypothesis", ".schemathesis", "vectors",
    ]
    private static let skippedAtRoot: Set<String> = ["data"]
    private static let textExtensions: Set<String> = [
        "", "swift", "md", "py", "toml", "txt", "yaml", "yml", "json", "h", "modulemap", "sh", "sql",
        "html", "js", "css",
    ]

    static let here = Tree()

    private init() {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path(percentEncoded: false)
        self.root = root.hasSuffix("/") ? root : root + "/"
        paths = Self.files(in: self.root, under: "").sorted()
    }

    static func isSkipped(_ name: String, atRoot: Bool) -> Bool {
        skippedNames.contains(name) || name.hasSuffix(".egg-info") || (atRoot && skippedAtRoot.contains(name))
    }

    private static func files(in root: String, under folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []
        return names.filter { !isSkipped($0, atRoot: folder.isEmpty) }.flatMap { name -> [String] in
            let path = folder + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: root + path)
            if attributes?[.type] as? FileAttributeType == .typeDirectory {
                return files(in: root, under: path + "/")
            }
            return textExtensions.contains((name as NSString).pathExtension) ? [path] : []
        }
    }

    func text(_ path: String) throws -> String { try String(contentsOfFile: root + path, encoding: .utf8) }

    /// Every Swift file but the manifest.
    func swiftSources() throws -> [SourceText] {
        try paths.filter { $0.hasSuffix(".swift") && ($0.hasPrefix("Sources/") || $0.hasPrefix("Tests/")) }
            .map { SourceText(path: $0, text: try text($0)) }
    }
}
