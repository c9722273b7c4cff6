/*
 * mark: the state of a translation as a comment, for formats that have no
 * place for it: Android's strings.xml, Apple's .strings and .stringsdict.
 *
 *	<!-- kandil: draft source=1f0c93ab00d4e7f2 text=83a3c1b2d4e5f607 -->
 * The words are draft or fuzzy, and stale, or none of them where only the
 * hashes are remembered; source is the hash of the source text that the
 * translation was made from, so that one whose source changed since is known
 * for stale; text is that of the translation as the file spells it: where the
 * file says another, a person edited it, and the mark counts no more. Other
 * programs ignore the comment. TMX has the same words in a property.
 */
#ifndef KANDIL_FORMAT_MARK_H
#define KANDIL_FORMAT_MARK_H

#include "common/format/catalog.h"

struct mark {
	enum catalog_state state;
	bool stale;
	struct slice source, text; /* 16 hex digits each; len 0: not said */
};

/*
 * Reads what stands between a comment's delimiters; slices are the comment's.
 * False: it is no mark.
 */
bool mark_read(struct slice comment, struct mark *);
/* The same of the words alone, without "kandil:". */
void mark_read_words(struct slice words, struct mark *);
/* The entry's state, stale and was_hash as marked; raw: the text as the file spells it. */
void mark_apply(const struct mark *, struct slice raw, struct catalog_entry *);
/*
 * Appends " kandil: … " for a change that is written, without delimiters; raw as
 * above. False, and nothing is appended, where nothing needs to be said.
 */
bool mark_of(const struct catalog_change *, struct slice raw, struct buf *out);
/* The words alone: "draft source=… text=…". */
bool mark_words_of(const struct catalog_change *, struct slice raw, struct buf *out);

#endif
