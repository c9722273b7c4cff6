f() => Text('Eight');
