f(user) => [
  Text('save?'), Text('Hello ${user.name}'), Text('Hello ${user.title}'),
];
