/// Why a helper of a test could not do its work.
package enum TestSupportError: Error {
    /// A call to the system failed.
    case system(call: String, code: Int32)
    /// A server ended, or was not ready in time; with what it had said by then.
    case serverNotReady(log: String)
}
