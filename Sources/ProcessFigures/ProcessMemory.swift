import Glibc

/// The memory of this process.
package enum ProcessMemory {
    /// What the kernel says is resident, in KiB; nil when it does not say.
    ///
    /// The second number of `/proc/self/statm` counts pages.
    package static var residentKilobytes: Int? {
        guard let file = fopen("/proc/self/statm", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE)) / 1_024
    }
}
