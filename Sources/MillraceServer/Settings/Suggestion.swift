/// Guesses what was meant by a misspelt name.
enum Suggestion {
    /// The nearest of the known names if it is near enough to be worth saying, the first of equals.
    static func nearest(to name: String, among known: [String]) -> String? {
        let bound = max(1, name.utf8.count / 3)
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = Self.distance(Array(name.utf8), Array(candidate.utf8))
            if distance <= bound, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// ` (did you mean "x"?)`, or nothing.
    static func hint(for name: String, among known: [String]) -> String {
        Self.nearest(to: name, among: known).map { " (did you mean \"\($0)\"?)" } ?? ""
    }

    /// How many bytes must be inserted, removed, replaced or swapped with their neighbour to make one of the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, leftByte) in left.enumerated() {
            var current = [row + 1]
            for (column, rightByte) in right.enumerated() {
                let replaced = last[column] + (leftByte == rightByte ? 0 : 1)
                var least = min(replaced, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, leftByte == right[column - 1], left[row - 1] == rightByte {
                    least = min(least, beforeLast[column - 1] + 1)
                }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
