// kandil:ignore-file: the licence
f() => Text('Six');
