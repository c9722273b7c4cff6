/*
 * providers: the table of who can be asked (providers.tsv).
 *
 * The shipped table, and the user's own before it. A project's folder is
 * never read: a cloned repository must not say where keys are sent.
 */
#ifndef KANDIL_AI_PROVIDERS_H
#define KANDIL_AI_PROVIDERS_H

#include "common/die.h"
#include "tools/ai/provider.h"

/* One line; slices of the table's text, ptr NULL where the field is "-". */
struct provider {
	char *name;
	struct slice base, keys, auth, base_env, model;
	const struct protocol *protocol;
};

struct providers {
	struct provider *v;
	size_t n, cap;
	struct buf text[2]; /* the shipped file, the user's */
};

/* 0, or -1 with e: "cannot_read", "bad_providers" (file:line: what is wrong). */
int providers_read(struct providers *, struct err *e);
const struct provider *providers_find(const struct providers *, struct slice name);
/* The name nearest to a word, or NULL. */
const char *providers_nearest(const struct providers *, struct slice word);
void providers_free(struct providers *);

/*
 * The value of the first of the comma-separated environment variables that is
 * set and not empty, or NULL. which (may be NULL): its name.
 */
const char *providers_env(struct slice names, struct slice *which);

#endif
