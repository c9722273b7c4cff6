f() => [
  Text('One'), // kandil:ignore
  Text('Two'),
  // kandil:ignore: a name
  Text('Three'),
  Text('Four'),
  Text('OK'),
  Text('Kandil'),
  Text("""
five"""), // kandil:ignore
];
