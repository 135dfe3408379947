import FuzzTargets
import Glibc

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Feeds one target with what libFuzzer thinks of.
///
/// The environment variable `MILLRACE_FUZZ_TARGET` names the target; the arguments are those of libFuzzer.
@main
enum Fuzz {
    /// Nil when the variable names none.
    private static let target = getenv("MILLRACE_FUZZ_TARGET").flatMap { FuzzTarget(rawValue: String(cString: $0)) }

    static func main() {
        guard self.target != nil else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            fatalError("MILLRACE_FUZZ_TARGET has to be one of \(names)")
        }
        var argumentCount = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runFuzzer(&argumentCount, &arguments) { start, byteCount in Fuzz.feed(start, byteCount) })
    }

    private static func feed(_ start: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
        guard let target = self.target else { return -1 }
        do throws(BrokenPromise) {
            try target.check(Array(UnsafeBufferPointer(start: start, count: byteCount)))
        } catch {
            fatalError("\(target.rawValue): \(error)")
        }
        return 0
    }
}
