import Testing

@testable import MillraceServer

@Suite("The kernel's list of arguments")
struct KernelArgumentsTests {
    @Test("each argument ends with a zero byte, and an empty one is one, too")
    func parse() {
        #expect(KernelArguments.parse(Array("a\0\0b c\0".utf8)) == ["a", "", "b c"])
        #expect(KernelArguments.parse(Array("a\0".utf8)) == ["a"])
        #expect(KernelArguments.parse([]).isEmpty)
    }

    @Test("this process has as many as Swift says")
    func own() {
        #expect(KernelArguments.list == Array(CommandLine.arguments.dropFirst()))
    }
}
