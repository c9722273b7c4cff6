/*
 * arb: application resource bundles, a JSON object of ICU messages a locale.
 *
 * Read with spans of every member, so that writing is splicing (arb_write.h)
 * and a finding can point. What ARB has no place for (draft, fuzzy, stale,
 * the hash of the source) lives in one global member, sorted by key, only for
 * keys that are not simply translated:
 *	"@@x-kandil": {"greeting": {"status": "draft", "text": "83a3…"},
 *	               "title": {"source": "1f0c…", "stale": true, "text": "55d0…"}}
 * source is hash_stable of the source text that the translation was made from,
 * in 16 hex digits; text is that of the translation: where the file says
 * another, a person edited it, and the mark counts no more. The template
 * remembers in source which text was written from the program's, so that a
 * person's is told from it. Other members are a person's and stay.
 * Sources: google/app-resource-bundle, docs/specification.md and schema/arb.json.
 */
#ifndef KANDIL_FORMAT_ARB_H
#define KANDIL_FORMAT_ARB_H

#include "common/format/catalog.h"

#define ARB_STATE "@@x-kandil"

/* Parses c->text; called by catalog_read. */
int arb_parse(struct catalog *, struct err *);

/*
 * Appends the file with the changes made: byte splices of old, so that order,
 * metadata, unknown members, comments and spacing of what does not change stay.
 * A new key goes behind the one before it in the stream (in a file whose keys
 * are sorted: to its sorted place), in the file's own style of indentation.
 * metadata: @key members are written for new keys, and placeholders that are
 * new are declared. old is a catalogue that was read, or arb_skeleton's.
 */
void arb_merge(const struct catalog *old, const struct catalog_change *changes, size_t n,
    bool metadata, struct buf *out);
/* Appends the file to start from: {"@@locale": locale}. */
void arb_skeleton(struct slice locale, struct buf *out);

/* Appends the 16 hex digits by which a source text is remembered. */
void arb_hash(struct slice source, struct buf *out);

/*
 * Whether gen-l10n takes the key: letters, digits and _, the first a lower
 * case letter, no reserved word of Dart. NULL, or what is wrong with it.
 */
const char *arb_key_fault(struct slice key);

#endif
