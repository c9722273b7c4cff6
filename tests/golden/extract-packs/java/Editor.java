package org.example.editor;

import javax.swing.*;

/** Not {@code new JLabel("this")}. */
public class Editor extends JFrame {
    private static final String DIALOG_TITLE = "Unsaved changes";
    private static final String KEY_FONT = "editor.font";
    private static final Logger LOG = Logger.getLogger("Editor Logger");

    @SuppressWarnings("Unchecked cast")
    public Editor(Document document) {
        super("Editor");
        setTitle("Editing " + document.getName() + " in " + document.folder);
        add(new JLabel("File name:"));
        JButton save = new JButton("Save");
        save.setToolTipText("Writes the file \u2013 \"now\"");
        save.setActionCommand("save all");
        // new JButton("Discard")
        setJMenuBar(bar(new JMenu("File"), new JMenuItem(icon, "Open…")));
        tabs.addTab("Preview", preview);
        panel.setBorder(BorderFactory.createTitledBorder("Options"));
        LOG.info("Editor opened");
        System.out.println("Debug output here");
        char quote = '"';
    }

    void close() {
        int answer = JOptionPane.showConfirmDialog(this, "Save before closing?", DIALOG_TITLE, 0);
        if (state.equals("Not This")) throw new IllegalStateException("Bad state");
        Toast.makeText(getContext(), "Saved", Toast.LENGTH_SHORT).show();
        new AlertDialog.Builder(this).setMessage(R.string.sure).setNegativeButton("Cancel", null);
        String sql = "SELECT * FROM documents";
        status.setText("""
            Lines of a
              text block""");
        return cond ? "No document is open" : "none";
    }
}
