package org.example.inbox

import androidx.compose.material3.Text
import timber.log.Timber

/* A comment with Text("no string") in it, /
   and over two lines. */
private const val KEY_SORT = "sort_order"

@Suppress("Unused parameter")
@Composable
fun InboxScreen(user: User, messages: List<Message>, onOpen: (Message) -> Unit) {
    val snackbar = remember { SnackbarHostState() }
    // Text("nor this one")
    Scaffold(
        topBar = { TopAppBar(title = { Text("Inbox of ${user.name}") }) },
        floatingActionButton = {
            FloatingActionButton(onClick = { navController.navigate("compose/new") }) {
                Icon(Icons.Default.Add, contentDescription = "Write a message")
            }
        },
    ) {
        if (messages.isEmpty()) {
            Text(
                text = "Nothing here yet. " +
                    "Messages that you receive will appear in this list.",
                modifier = Modifier.testTag("Empty inbox"),
            )
        }
        EmptyState(title = "All done", subtitle = """
            You have read everything.
              Come back later.
        """.trimIndent(), icon = "ic_done")
        LazyColumn {
            items(messages, key = { it.id }) { message ->
                Text("$count unread, {not} a placeholder, 100% \"quoted\" \u00e9")
                Text(stringResource(R.string.subject))
                Timber.d("Binding message %s", message.id)
            }
        }
        LaunchedEffect(Unit) { snackbar.showSnackbar("Message archived", actionLabel = "Undo") }
    }
}

class InboxFragment : Fragment() {
    override fun onViewCreated(view: View, state: Bundle?) {
        binding.title.text = "Drafts"
        binding.search.hint = "Search in " + folder.name
        binding.quote.text = '"'.toString()
        toolbar.setTitle("Folders")
        Toast.makeText(requireContext(), "Could not connect", Toast.LENGTH_LONG).show()
        AlertDialog.Builder(requireContext())
            .setMessage("Delete ${selected.size} messages?")
            .setPositiveButton("Delete") { _, _ -> delete() }
        prefs.getString("Last folder", null)
        require(selected.isNotEmpty()) { "Nothing is selected" }
        if (mode == "Reading mode") throw IllegalStateException("Not in this mode")
        showError("The server did not answer")
    }

    fun describe(state: State) = when (state) {
        State.Sent -> "Sent a moment ago"
        State.Queued -> "queued"
        else -> throw IllegalArgumentException("Unknown state")
    }
}
