/*
 * arb_style: how a file is indented, so that what is added looks like the rest.
 */
#ifndef KANDIL_FORMAT_ARB_STYLE_H
#define KANDIL_FORMAT_ARB_STYLE_H

#include "common/buf.h"

struct arb_style {
	bool lines;	     /* one member a line */
	struct slice newline; /* "\n" or "\r\n" */
	struct slice indent;  /* of one level; empty where not lines */
	struct slice colon;   /* between name and value, ": " */
	struct slice comma;   /* between members where not lines, ", " */
};

/* The style of an object's first members; the slices are object's or static. */
struct arb_style arb_style_of(struct slice object);

/* Appends what goes between two members at that level (1: top), or before the first. */
void arb_style_separate(const struct arb_style *, int level, bool first, struct buf *out);
/* Appends "name": and, the value is to follow. */
void arb_style_name(const struct arb_style *, struct slice name, struct buf *out);
/* Appends what goes before the bracket that closes an object at that level. */
void arb_style_close(const struct arb_style *, int level, struct buf *out);

#endif
