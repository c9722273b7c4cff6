import SwiftUI
import os

/// Text("in a comment")
struct SettingsView: View {
    @AppStorage("isEnabled") private var isEnabled = false
    let user: User

    var body: some View {
        Form {
            Section("Account") {
                Text("Signed in as \(user.name), since \(user.since.formatted(.dateTime.year(), separator: "/"))")
                Label("Notifications", systemImage: "bell.badge")
                Toggle("Send anonymous statistics", isOn: $isEnabled)
                Text(verbatim: "v1.2.3 beta")
                TextField("Your nickname", text: $nickname)
                Button("Sign out", role: .destructive) { signOut() }
                Button { help() } label: { Image(systemName: "questionmark.circle") }
                    .accessibilityLabel("Show help")
                Text("""
                    Your data stays on this device.
                      Nothing is sent.
                    """)
            }
        }
        .navigationTitle("Settings")
        .alert("Delete the account?", isPresented: $deleting) {
            Button("Delete \"everything\"", role: .destructive) {}
        }
        .onAppear { logger.debug("Settings appeared") }
    }
}

final class LoginController: UIViewController {
    let raw = #"Text("not a literal of the view")"#
    override func viewDidLoad() {
        title = "Log in"
        label.text = NSLocalizedString("Welcome, %@", comment: "Greeting; the name")
        hint.text = NSLocalizedString("login.hint", value: "Use your e-mail", comment: "Below the field")
        button.setTitle("Continue", for: .normal)
        field.placeholder = "name@example.org or phone"
        let alert = UIAlertController(title: "Wrong password", message: "Try again, or reset it", preferredStyle: .alert)
        alert.addAction(UIAlertAction(title: "OK", style: .default))
        print("Not for people")
        guard url == "Some Address" else { fatalError("Never happens") }
        tableView.register(Cell.self, forCellReuseIdentifier: "Login Cell")
        banner.show(description: "You are offline", icon: "wifi.slash")
    }
    func state() -> String { return connected ? "Connected to the server" : "offline" }
}
