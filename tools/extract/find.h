/*
 * find: what a reader of source text reports, whatever the language.
 *
 * A reader (dart.c, pack.c) gets one source and calls the sink for each thing
 * found, in order of position; the sink gives it a key and writes the record.
 * All slices are lent until the sink returns.
 */
#ifndef KANDIL_EXTRACT_FIND_H
#define KANDIL_EXTRACT_FIND_H

#include "common/buf.h"

struct source {
	const char *file; /* as the user named it */
	struct slice text;
};

enum level { LEVEL_NONE, LEVEL_CORE, LEVEL_LIKELY, LEVEL_ALL };

struct placeholder {
	struct slice name, expr, type; /* type: String, int, num, Object … */
};

struct found {
	const char *kind;   /* "string", "literal" or "note" */
	size_t start, end;  /* bytes [start,end) of the source */
	size_t line, column; /* 1-based; column in code points */
	enum level level;
	struct slice reason, widget, context;
	struct slice value;	   /* string: the message, note and literal: the text */
	const char *format;	   /* "icu", "printf", "i18next", "plain" */
	struct slice plural;	   /* ICU proposal, or empty */
	const struct placeholder *placeholders;
	size_t nplaceholders;
	struct slice quote, raw;   /* literal only */
	struct slice key;	   /* a key that the source itself names, or empty */
	struct slice rule;	   /* note only */
	const struct placeholder *captures; /* note: name and expr (the text) */
	size_t ncaptures;
};

typedef void find_sink(const struct source *, const struct found *, void *state);

#endif
