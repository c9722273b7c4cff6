/*
 * target: one catalogue file that is written: what it holds, what it is
 * called, and its new bytes.
 */
#ifndef KANDIL_CATALOG_TARGET_H
#define KANDIL_CATALOG_TARGET_H

#include "tools/catalog/catalog.h"
#include "tools/catalog/incoming.h"
#include "tools/catalog/merge.h"

struct target {
	char *file;
	char *locale; /* canonical; "" for a .pot */
	bool template; /* the source's own */
	struct catalog old; /* what is there, or the skeleton of a new file */
	struct catalog view; /* of a file of many languages: this one, as it was at first */
	const struct catalog *now; /* where entries are looked up: old, or view */
	bool is_new;
	struct buf content; /* what it becomes */
	size_t nchanges; /* that are merged into it */
	enum merge_outcome *outcomes; /* of each */
	size_t count[MERGE_OUTCOMES], entries, stale;
	struct buf missing, withheld; /* JSON arrays of keys: no text; not sound, so not written */
	size_t nwithheld;
	bool changed, written;
};

/* The folder that is written to, as it is found. */
struct targets {
	const struct settings *settings;
	enum catalog_format format;
	const struct catalog_kind *kind; /* NULL: ARB, PO */
	char *folder;			 /* or the file of many languages */
	/* Of that: what it was at first, and with the languages that were merged. */
	struct catalog original;
	struct buf shared;
	bool is_new, changed;
	char *template; /* the template that is named; NULL: none */
	struct families families;
	struct family *family; /* NULL: the folder has no catalogue yet */
	unsigned dialect;      /* of ARB texts */
	char *pattern;	       /* the files' name with "*" for the locale */
	char *template_file;   /* where the source texts go */
	char *source_locale;   /* canonical */
};

/*
 * Says where to write: the option of a format, else the project's arb-dir. Dies
 * (status 2) where there is none, or more than one.
 */
void targets_start(struct targets *, const struct settings *);
/* Whether the source texts have a file (a language) of their own. */
bool targets_keyed(const struct targets *);
/* The same place in another format: .stringsdict beside .strings. Then to be opened. */
void targets_switch(struct targets *, enum catalog_format);
/*
 * Finds what is there. Dies (status 2) where several families are there and
 * none is named.
 */
void targets_open(struct targets *);
void targets_close(struct targets *);

/*
 * The family's file of a locale ("" or template: the template), or NULL: the
 * one that its name says it is, else the one that says so itself.
 */
const struct catalog *targets_find(const struct targets *, const char *locale, bool template);
/*
 * Opens a file for a locale: c (targets_find's), or where that is NULL what is
 * at the name that it is to have, or new. 0, or -1 with e when it is there and
 * cannot be read.
 */
int target_open(struct target *, const struct targets *, const struct catalog *c,
    const char *locale, bool template, struct err *e);
void target_close(struct target *);
/* Of a file of many languages: takes the target's content for the next one. */
void targets_take(struct targets *, const struct target *);
/* The catalogue whose source texts were in force before: the template's, or NULL. */
const struct catalog *targets_template(const struct targets *);

#endif
