/*
 * po: gettext's catalogues, the whole grammar: contexts, plurals, comments of
 * all kinds, previous texts (#|), obsolete entries (#~), any charset.
 *
 * Sources: GNU gettext manual, "The Format of PO Files"; gettext's own
 * reader for what the manual leaves open (escapes, an index out of order).
 */
#ifndef KANDIL_FORMAT_PO_H
#define KANDIL_FORMAT_PO_H

#include "common/format/catalog.h"

/* Parses c->text; called by catalog_read. */
int po_parse(struct catalog *, struct err *);
/* Makes c->text UTF-8 where its header names another charset; called by po_parse. */
int po_to_utf8(struct catalog *, struct err *);

/*
 * Takes locale, charset and Plural-Forms out of the header into c (a PO's or
 * an MO's); what the file does not say stays as it was.
 */
void po_take_header(struct catalog *, struct slice header);

/*
 * Appends the file with the changes made. Entries that do not change stay byte
 * for byte; of one that does, translator's comments, references and extracted
 * comments stay, and flags, previous text and strings are written anew. A new
 * message goes behind the one before it in the stream. A source that changed
 * (change.old_source) keeps its translation, fuzzy, with the old text in #|;
 * drafts are fuzzy too. locale empty: a template, whose msgstr stay empty.
 * old is a catalogue in UTF-8 that was read, or po_skeleton's. -1 with e for
 * Plural-Forms that cannot be read.
 */
int po_merge(const struct catalog *old, struct slice locale, const struct catalog_change *changes,
    size_t n, struct buf *out, struct err *e);
/* Appends the file with the entries that no change names made obsolete (#~). */
void po_prune(const struct catalog *old, const struct catalog_change *changes, size_t n,
    struct buf *out);
/* Appends a header and nothing else; locale empty: a template's. */
void po_skeleton(struct slice locale, const char *project, struct buf *out);
/* The entry that a change is about: by its key comment, else by context and source. */
struct catalog_entry *po_find(const struct catalog *, const struct catalog_change *);

/*
 * What a line is: 0 tokens, '#' a translator's comment, or the mark of another
 * one: '.', ':', ',', '=', '|', '~'; ' ' for a blank line. *rest: what follows
 * the mark.
 */
char po_line(struct slice line, struct slice *rest);

/* Whether word stands in a list of flags, "fuzzy, c-format". */
bool po_flag(struct slice flags, const char *word);

/* The charset that a Content-Type names, or an empty slice. */
struct slice po_charset(struct slice content_type);
/* How to read a message with those flags: c-format is "printf", python-brace-format "icu". */
const char *po_format(struct slice flags, struct slice source);

/*
 * Appends what the bytes between a string's quotes mean. NULL, or the
 * backslash of an escape that means nothing.
 */
const char *po_decode(struct slice text, struct buf *out);
/* Appends text as a PO string with its quotes, escaped; one line. */
void po_quote(struct slice text, struct buf *out);
/* Appends `keyword "text"` and a line feed; text of several lines stands line by line. */
void po_put(const char *keyword, struct slice text, struct buf *out);

#endif
