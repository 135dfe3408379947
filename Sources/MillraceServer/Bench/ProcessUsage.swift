import Foundation

/// What a process has used of the machine.
package struct ProcessUsage: Sendable, Equatable {
    /// User and system time of all its threads, in clock ticks.
    package let cpuTicks: UInt64
    /// Resident memory, in pages.
    package let residentPageCount: UInt64

    /// Reads the text of `/proc/PID/stat`; nil when it is none.
    package init?(parsingStat text: String) {
        // The name of the program, in brackets, may itself hold blanks and brackets.
        guard let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 21, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
            let pages = UInt64(fields[21])
        else { return nil }
        self.cpuTicks = user + system
        self.residentPageCount = pages
    }

    /// Nil when there is no such process.
    package init?(processID: Int32) {
        guard let data = FileManager.default.contents(atPath: "/proc/\(processID)/stat") else { return nil }
        self.init(parsingStat: String(decoding: data, as: UTF8.self))
    }

    /// CPU time since an earlier look at the same process.
    package func cpuSeconds(since earlier: ProcessUsage) -> Double {
        guard self.cpuTicks > earlier.cpuTicks else { return 0 }
        return Double(self.cpuTicks - earlier.cpuTicks) / Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    }

    package var residentBytes: UInt64 {
        self.residentPageCount * UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
    }
}
