import Bytes
import Crypto

/// Ids of what people make: a word for the kind and 32 random hexadecimal digits.
enum Identifier {
    static let dashboard = "dash_"
    static let question = "qst_"
    static let share = "shr_"

    static func make(_ prefix: String) -> String { prefix + Hex.encode(secureRandomBytes(count: 16)) }
}
