import 'package:flutter/material.dart';

class SettingsScreen extends StatefulWidget {
  const SettingsScreen({super.key});

  @override
  State<SettingsScreen> createState() => _SettingsScreenState();
}

class _SettingsScreenState extends State<SettingsScreen> {
  final form = GlobalKey<FormState>(debugLabel: 'settings form');
  bool dark = false;

  @override
  Widget build(BuildContext context) {
    return Scaffold(
      appBar: AppBar(title: const Text('Settings')),
      body: Form(
        key: form,
        child: Column(
          children: [
            TextFormField(
              decoration: const InputDecoration(
                labelText: 'Email',
                hintText: 'Enter your email',
                helperText: "We'll never share it with anyone else.",
              ),
              validator: (value) {
                if (value == null || !RegExp(r'^\S+@\S+$').hasMatch(value)) {
                  return 'Please enter a valid email address';
                }
                return null;
              },
            ),
            SwitchListTile(
              title: const Text('Dark mode'),
              subtitle: Text(dark ? 'On' : 'Off'),
              value: dark,
              onChanged: (value) => setState(() => dark = value),
            ),
            Row(
              children: [
                TextButton(
                  onPressed: () => Navigator.pop(context),
                  child: const Text('Cancel'),
                ),
                FilledButton(onPressed: _save, child: const Text('Save')),
              ],
            ),
          ],
        ),
      ),
    );
  }

  void _save() {
    if (!form.currentState!.validate()) return;
    Navigator.pop(context);
  }
}
