/*
 * finding: what check reports: a record in a pipe, a line for a person.
 */
#ifndef KANDIL_CATALOG_FINDING_H
#define KANDIL_CATALOG_FINDING_H

#include "common/format/catalog.h"
#include "tools/catalog/catalog.h"

/* In the order of --fail-on's words. */
enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

struct finding_edit {
	struct catalog_span span;
	struct slice text;
};

struct finding {
	const char *rule; /* without "catalog/" */
	enum severity severity;
	const char *file;
	size_t line, column; /* 0: of the file as a whole */
	struct catalog_span span; /* both 0: none */
	struct slice key;	  /* the message; ptr NULL: none */
	struct slice locale;
	struct slice subject; /* placeholder, category: what tells findings of one key apart */
	struct slice message;
	/* What to do; ptr NULL: a person must decide. */
	struct slice fix;
	/* Where there is one right answer: the bytes of each span become text. */
	const struct finding_edit *edits;
	size_t nedits;
};

struct findings {
	struct run *run;
	const struct settings *settings;
	bool table;
	size_t count[SEVERITY_CRITICAL + 1];
	struct buf out;
};

/* Writes one finding and raises the status where --fail-on says so. */
void finding_emit(struct findings *, const struct finding *);
/* For a person: how many of what, on stderr. */
void finding_summary(struct findings *);

#endif
