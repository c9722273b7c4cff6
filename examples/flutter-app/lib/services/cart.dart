class CartItem {
  const CartItem(this.id, this.name);

  final String id;
  final String name;
}

class Cart {
  final List<CartItem> items = [];

  void add(CartItem item) => items.add(item);

  void remove(CartItem item) {
    if (!items.remove(item)) {
      throw ArgumentError('item ${item.id} is not in the cart');
    }
  }

  Future<void> pay() async {
    if (items.isEmpty) throw StateError('cart is empty');
    await Uri.parse('https://pay.example.com/v1/orders').resolve('confirm');
    items.clear();
  }
}
