/*
 * xliff: XLIFF 2.0 and 2.1, one file a language pair.
 *
 * A unit is a message: its key is the unit's name, else its id (with the
 * file's id before it where that is taken). Inline codes stand for what their
 * original data says, so that a message reads as it was: "Hello {name}"; a
 * code without data stays a tag in the text, <ph id="1"/>. Where the unit's
 * type is kandil:icu, kandil:printf … the text is that, byte for byte; else it
 * is guessed. A plural is one segment in ICU syntax: XLIFF 2.1 has none.
 *
 * States: reviewed and final are approved, translated is translated, initial
 * is a draft, and a target whose segment says nothing is translated. What
 * XLIFF has no word for stands in subState: kandil:draft, kandil:fuzzy,
 * kandil:stale, kandil:stale-draft, kandil:stale-fuzzy, with the hash of the
 * target behind it (kandil:draft-10e4d6f437198aa0): a target that says another
 * text was edited by a person. A tool that confirms a segment sets its state.
 * In both cases the subState counts no more.
 *
 * A unit of several segments is one message. Where a new text differs from the
 * old one within one segment the others stay; else they become one, which has
 * the first one's id.
 * Source: OASIS, XLIFF Version 2.1, 2018.
 */
#ifndef KANDIL_FORMAT_XLIFF_H
#define KANDIL_FORMAT_XLIFF_H

#include "common/format/catalog.h"

/* The functions of struct catalog_kind. */
int xliff_parse(struct catalog *, struct err *e);
int xliff_merge(const struct catalog *old, const struct catalog_merge *, struct buf *out,
    struct err *e);
int xliff_say(const struct catalog_change *, struct slice text, struct slice locale,
    struct buf *out, struct err *e);
void xliff_skeleton(struct slice locale, struct slice source_locale, struct buf *out);

#endif
