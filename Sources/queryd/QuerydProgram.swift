import Foundation
import QueryServer

@main
struct QuerydProgram {
    static func main() {
        exit(QueryProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
