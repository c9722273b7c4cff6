f() => Text('One');
