/*
 * position: line and column of a byte, counted only where somebody asks.
 *
 * Lines end in LF, CRLF or CR; columns count code points from 1. Asking in
 * rising order makes all answers together one pass; going back starts anew.
 */
#ifndef KANDIL_EXTRACT_POSITION_H
#define KANDIL_EXTRACT_POSITION_H

#include "common/buf.h"

struct position {
	struct slice text;
	size_t at, line, column; /* the last answer */
	size_t next;		 /* where the next line starts; 0: this is the last */
	bool lone_cr;		 /* there are such to look for */
};

/* Whether there is a CR without LF, which ends a line as well. */
bool position_lone_cr(struct slice text);
/* A byte order mark has no column. */
struct position position_start(struct slice text);
void position_find(struct position *, size_t at, size_t *line, size_t *column);

#endif
