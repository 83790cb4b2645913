/// What was to be inflated is damaged.
package struct GzipError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where it breaks, in zlib's words or ours.
    package let reason: String

    package var description: String { "damaged: \(reason)" }
}
