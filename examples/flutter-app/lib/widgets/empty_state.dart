import 'package:flutter/material.dart';

/// A title and a message in the middle of a screen that has nothing to show.
class EmptyState extends StatelessWidget {
  const EmptyState({super.key, required this.title, required this.message});

  final String title;
  final String message;

  @override
  Widget build(BuildContext context) {
    return Semantics(
      label: 'Nothing here yet',
      child: Column(
        mainAxisAlignment: MainAxisAlignment.center,
        children: [Text(title), Text(message)],
      ),
    );
  }
}
