import MillraceServer

await Millrace.main()
