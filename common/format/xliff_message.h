/*
 * xliff_message: a record's message as a unit holds it, text and inline codes.
 */
#ifndef KANDIL_FORMAT_XLIFF_MESSAGE_H
#define KANDIL_FORMAT_XLIFF_MESSAGE_H

#include "common/format/xliff_scan.h"

/* How to read the unit's texts, static: what its type says, else a guess from its source. */
const char *xliff_message_format(const struct xliff_unit *, struct slice source);
/* Whether its type says so: then a text is the message, byte for byte. */
bool xliff_message_typed(const struct xliff_unit *);
/* Appends a text of the unit as a message of that format. */
void xliff_message_read(const struct xliff_unit *, struct slice text, const char *format,
    struct buf *out);
/* Appends a message as a text of the unit: the reverse. */
void xliff_message_text(const struct xliff_unit *, struct slice message, const char *format,
    struct buf *out);

/* What a source is made of when it is written anew. */
struct xliff_built {
	struct xliff_code *codes; /* the arena's, as are their texts */
	size_t n;
	struct buf data; /* <data> elements, one after the other; empty: none */
	size_t ndata;
	struct buf source; /* the content of <source> */
};
/*
 * Builds it of a text of that format (typed: as it is, else gen-l10n's
 * spelling of ICU): placeholders and tags outside of plurals become inline
 * codes. indent, newline: before each <data>. To be freed.
 */
void xliff_build(struct slice text, const char *format, bool typed, struct slice before,
    struct arena *, struct xliff_built *);
void xliff_built_free(struct xliff_built *);

/*
 * Appends the content of a <target>: the codes of its source stand where
 * text says what they say; any other text is text.
 */
void xliff_put_target(struct slice text, const char *format, bool typed,
    const struct xliff_code *, size_t n, struct buf *out);
/* Whether white space in the text counts: xml:space="preserve" is to be said. */
bool xliff_needs_space(struct slice text);

#endif
