import Collector
import Foundation

@main
struct CollectordProgram {
    static func main() {
        exit(CollectorProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
