/*
 * entity: character references, as HTML, XML and JSX write them.
 *
 * The names are data (extract/rules/entities.tsv), read when the first is met.
 */
#ifndef KANDIL_EXTRACT_ENTITY_H
#define KANDIL_EXTRACT_ENTITY_H

#include "common/buf.h"

/*
 * The reference that text begins with (`&amp;`, `&#38;`, `&#x26;`): its length with the semicolon
 * and its code point; 0 when it is none that is known.
 */
size_t entity_read(struct slice text, uint32_t *codepoint);

#endif
