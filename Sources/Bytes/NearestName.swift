/// The name in `names` that `name` was most likely meant to be, or nil if none is near: for error messages.
/// O(names × their length × the name's).
public func nearestName(to name: String, in names: [String]) -> String? {
    // Nobody means a known name by a text this long.
    guard name.utf8.count <= 64 else { return nil }
    let candidates = names.map { (name: $0, distance: editDistance(Array(name.utf8), Array($0.utf8))) }
    guard let best = candidates.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= (name.utf8.count + 2) / 3 ? best.name : nil
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one into the other
/// (optimal string alignment). O(left · right).
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            var cost = min(
                last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforeLast, last) = (last, current)
    }
    return last[right.count]
}
