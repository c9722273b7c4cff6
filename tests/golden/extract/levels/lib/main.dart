import 'package:flutter/material.dart';

import 'strings.dart';

/// The shop's first page. It says 'Hello', but only in this comment.
class HomePage extends StatelessWidget {
  const HomePage({super.key, required this.name, required this.count});

  final String name;
  final int count;

  String get title => 'Corner shop';

  void _oops(BuildContext context, String message) {
    ScaffoldMessenger.of(context).showSnackBar(SnackBar(content: Text(message)));
  }

  @override
  Widget build(BuildContext context) {
    debugPrint('Building the home page');
    return Scaffold(
      key: const Key('Home page'),
      appBar: AppBar(title: Text(title)),
      body: Column(children: [
        Text('Hello $name, you have $count items'),
        Text(kWelcome),
        Text('$count item${count == 1 ? '' : 's'} on sale'),
        Text(count == 0 ? 'Your basket is empty' : "It's {full}"),
        Image.asset('assets/Front door.png', semanticLabel: 'The front door'),
        TextFormField(
          decoration: const InputDecoration(
            labelText: 'E-mail',
            hintText: 'you@example.org',
          ),
          validator: (value) => value!.contains('@') ? null : 'Enter an address',
        ),
        OfferCard(subtitle: 'Only today', route: '/Some offer'),
        IconButton(
          tooltip: 'Add to basket',
          icon: const Icon(Icons.add),
          onPressed: () => _oops(context, 'Nothing was added'),
        ),
        Text('checkout'.tr()),
      ]),
    );
  }
}

String greeting(int hour) {
  if (hour < 0) throw ArgumentError('Hours begin at 0');
  return hour < 12 ? 'Good morning' : 'Good evening';
}
