f() => Text(kHello);
