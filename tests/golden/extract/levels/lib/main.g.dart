f() => Text('Generated');
