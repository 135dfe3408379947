import Foundation

/// How much memory this process takes.
enum ProcessMemory {
    /// The resident set in kibibytes, as Linux tells it; 0 where it does not.
    static func residentKilobytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pageCount = Int(fields[1]) else { return 0 }
        return pageCount * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024
    }
}
