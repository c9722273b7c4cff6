/*
 * tmx: translation memory exchange 1.4b, streamed: memory stays flat however
 * large the file is. A document that declares entities is refused.
 *
 * Each <tu> gives an entry for each variant (<tuv>) in another language than
 * the source's; one that has no other gives, to catalog_read alone, an entry
 * without locale that is missing. Inline codes within a <seg> read as tmx_text.h
 * says; an entry whose text is too long is cut, and fuzzy. Two properties of our own say
 * what TMX has no place for: x-kandil-status in a <tuv> (the words of mark.h:
 * "draft source=… text=…", or a hand's "stale-fuzzy"), and x-kandil-format (printf,
 * plain …) in a <tu> whose text would be taken for another one.
 * Source: TMX 1.4b specification, GALA.
 */
#ifndef KANDIL_FORMAT_TMX_H
#define KANDIL_FORMAT_TMX_H

#include "common/format/catalog.h"

#define TMX_STATUS "x-kandil-status"
#define TMX_FORMAT "x-kandil-format"
#define TMX_ALL "*all*" /* the srclang that names no language */

/* Parses c->text into entries; called by catalog_read. */
int tmx_parse(struct catalog *, struct err *);
/* The other functions of struct catalog_kind. */
int tmx_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *e);
int tmx_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *e);
void tmx_skeleton(struct slice locale, struct slice source_locale, struct buf *out);
/* catalog_visit for the file c->name, read in pieces. */
int tmx_visit(struct catalog *, catalog_visit_fn *fn, void *state, struct err *);

#endif
