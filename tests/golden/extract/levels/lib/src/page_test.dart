f() => Text('Only a test');
