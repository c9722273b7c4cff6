/*
 * project: the project's own catalogues, by key and as memory.
 *
 * Found through l10n.yaml (arb-dir, template-arb-file), or where projects
 * keep them: lib/l10n/ (ARB), po/ and locale/ (PO). A key whose source text
 * is still the one that was translated needs no search.
 */
#ifndef KANDIL_TRANSLATE_PROJECT_H
#define KANDIL_TRANSLATE_PROJECT_H

#include "tools/translate/load.h"

struct project;

/*
 * Reads the catalogues: those named, or with n = 0 the project's in the
 * current folder (none is no error). Files that cannot be read are warned
 * of; *failed is then set. Fills TIER_PROJECT as well.
 */
struct project *project_load(struct loader *, const char *const *names, size_t n, bool *failed);
void project_free(struct project *);

struct project_entry {
	struct slice source, target;
	unsigned dialect;
	enum catalog_state state; /* of the translation */
	bool stale;		  /* the file says so, or the hash of the source differs */
	const char *file;
};

/* The entry of a key in the catalogue of that target (its index), or NULL. */
const struct project_entry *project_find(const struct project *, size_t target, struct slice key);

#endif
