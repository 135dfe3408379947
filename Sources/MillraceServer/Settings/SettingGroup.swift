/// The settings of one table of a file.
package struct SettingGroup: Sendable {
    /// The table's name; empty for what stands before any table.
    package let name: String
    /// What the table is about, in sentences for people.
    package let text: String
    package let settings: [Setting]

    init(_ name: String, _ text: String, _ settings: [Setting]) {
        self.name = name
        self.text = text
        self.settings = settings
    }
}
