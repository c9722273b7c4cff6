/*
 * tmx: translation memory exchange 1.4b, streamed: memory stays flat however
 * large the file is. A document that declares entities is refused.
 *
 * Each <tu> gives an entry for each variant (<tuv>) in another language than
 * the source's. Elements within a <seg> (bpt, ept, ph, it, hi) are left out,
 * with the native codes they hold, and such an entry is fuzzy: its text is
 * not the whole.
 * Source: TMX 1.4b specification, GALA.
 */
#ifndef KANDIL_FORMAT_TMX_H
#define KANDIL_FORMAT_TMX_H

#include "common/format/catalog.h"

/* Parses c->text into entries; called by catalog_read. */
int tmx_parse(struct catalog *, struct err *);
/* catalog_visit for the file c->name, read in pieces. */
int tmx_visit(struct catalog *, catalog_visit_fn *fn, void *state, struct err *);

#endif
