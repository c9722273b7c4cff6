f() => [Text('Kandil'), Text('Seven')];
