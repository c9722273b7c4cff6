import 'package:flutter/material.dart';

import 'screens/home.dart';
import 'screens/settings.dart';

const kAppName = 'Corner Shop';

void main() {
  debugPrint('starting up');
  runApp(const CornerShop());
}

class CornerShop extends StatelessWidget {
  const CornerShop({super.key});

  @override
  Widget build(BuildContext context) {
    return MaterialApp(
      title: kAppName,
      initialRoute: '/home',
      routes: {
        '/home': (_) => const HomeScreen(userName: 'guest'),
        '/settings': (_) => const SettingsScreen(),
      },
      theme: ThemeData(fontFamily: 'Roboto', useMaterial3: true),
    );
  }
}
