import Foundation

/// How much memory this process occupies.
enum ResidentMemory {
    /// In KiB; nil where the system does not tell. The second number of `/proc/self/statm` counts pages.
    static var kilobytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pageCount = Int(fields[1]) else { return nil }
        return pageCount * Int(sysconf(Int32(_SC_PAGESIZE))) / 1024
    }
}
