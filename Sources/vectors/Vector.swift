import JSON

/// One golden example: bytes, and what they mean.
struct Vector {
    /// The file's name without its ending: what the example is about.
    let name: String
    let bytes: [UInt8]
    let meaning: JSONValue
}
