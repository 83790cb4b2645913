@main
struct VectorsProgram {
    static func main() {}
}
