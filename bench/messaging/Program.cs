using BenchmarkDotNet.Running;

// Without arguments: everything. With arguments: BenchmarkDotNet's own, for example --filter '*Call*' --job short.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
