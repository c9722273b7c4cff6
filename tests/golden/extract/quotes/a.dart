// What stands for a hole is quoted with the text around it, or its quotes swallow that.
build(n) => Text("Set ${n == 1 ? 'brace' : '{braces}'}' of $n");
