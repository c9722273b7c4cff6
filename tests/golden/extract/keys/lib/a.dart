f(name, int n) => [
  Text('Save'), Text('Save!'), Text('Save'), Text('Hello $name'), Text('$n files'), Text('Continue'),
  Text('保存'), Text('12 months'),
];
