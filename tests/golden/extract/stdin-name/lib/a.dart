const kHello = 'Hello there';
