const kWelcome = 'Welcome back';
const kEndpoint = 'https://example.org/api';
const labels = {'first_key': 'First choice', 'title': 'All choices'};
