import 'package:flutter/material.dart';

import '../services/cart.dart';
import '../widgets/empty_state.dart';

class HomeScreen extends StatefulWidget {
  const HomeScreen({super.key, required this.userName});

  final String userName;

  @override
  State<HomeScreen> createState() => _HomeScreenState();
}

class _HomeScreenState extends State<HomeScreen> {
  final cart = Cart();

  @override
  Widget build(BuildContext context) {
    final count = cart.items.length;
    return Scaffold(
      appBar: AppBar(
        title: Text('Hello ${widget.userName}'),
        actions: [
          IconButton(
            tooltip: 'Search',
            icon: const Icon(Icons.search),
            onPressed: () => Navigator.pushNamed(context, '/search'),
          ),
          IconButton(
            tooltip: 'Settings',
            icon: const Icon(Icons.settings),
            onPressed: () => Navigator.pushNamed(context, '/settings'),
          ),
        ],
      ),
      body: cart.items.isEmpty
          ? const EmptyState(
              title: 'Your cart is empty',
              message: 'What you choose from the shelves of the corner shop '
                  'waits here until you pay.',
            )
          : ListView(
              children: [
                Text(count == 1 ? '$count item' : '$count items'),
                for (final item in cart.items)
                  ListTile(
                    key: ValueKey('item_${item.id}'),
                    leading: Image.asset('assets/images/${item.id}.png'),
                    title: Text(item.name),
                    trailing: IconButton(
                      tooltip: 'Delete',
                      icon: const Icon(Icons.delete),
                      onPressed: () => _remove(item),
                    ),
                  ),
              ],
            ),
      floatingActionButton: FloatingActionButton.extended(
        onPressed: _pay,
        label: const Text('Checkout'),
      ),
    );
  }

  void _remove(CartItem item) {
    setState(() => cart.remove(item));
    ScaffoldMessenger.of(context).showSnackBar(SnackBar(
      content: Text('Removed ${item.name} from the cart'),
      action: SnackBarAction(label: 'Undo', onPressed: () => cart.add(item)),
    ));
  }

  Future<void> _pay() async {
    try {
      await cart.pay();
      showToast('Payment successful');
    } on StateError catch (e) {
      debugPrint('payment failed: $e');
      showToast('Something went wrong');
    }
  }

  void showToast(String text) {
    ScaffoldMessenger.of(context).showSnackBar(SnackBar(content: Text(text)));
  }
}
