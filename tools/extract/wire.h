/*
 * wire: a finding as bytes, from a worker to the parent that gives it a key.
 *
 * Both are the same program in the same run, so the form is not versioned;
 * the reader checks every length all the same.
 */
#ifndef KANDIL_EXTRACT_WIRE_H
#define KANDIL_EXTRACT_WIRE_H

#include "tools/extract/find.h"

void wire_put(struct buf *out, const struct found *);

/* What a found that was read points into. Zero-initialised is ready. */
struct wire {
	struct placeholder *placeholders, *captures;
	size_t cap_placeholders, cap_captures;
	struct buf kind, format;
};

/* Cuts the next finding off bytes; false at their end, or where they are broken. */
bool wire_get(struct wire *, struct slice *bytes, struct found *);
void wire_free(struct wire *);

#endif
