/// What is wrong with a TOML document, and where.
struct TOMLMistake: Error, Equatable {
    /// The line of the document, counted from 1.
    let line: Int
    /// What is wrong, as the end of an error message.
    let reason: String
    /// Where the first of two things stands that cannot both be there.
    var earlierLine: Int?
}
