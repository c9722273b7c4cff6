/* Edits gathered by file. */
#include "tools/catalog/fix.h"

#include "common/path.h"

#include <stdlib.h>

static bool
touches(const struct edits *edits, struct catalog_span span)
{
	for (size_t i = 0; i < edits->n; i++)
		if (span.start < edits->v[i].end && edits->v[i].start < span.end)
			return true;
	return false;
}

bool
fixes_add(struct fixes *all, const struct finding *f)
{
	struct fix_file *file = NULL;

	for (size_t i = 0; i < all->n && !file; i++)
		if (strcmp(all->v[i].name, f->file) == 0)
			file = &all->v[i];
	if (!file) {
		all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
		file = &all->v[all->n++];
		*file = (struct fix_file){.name = f->file};
	}
	if (file->edits.n + f->nedits > FIXES_MAX)
		return false;
	for (size_t i = 0; i < f->nedits; i++)
		if (touches(&file->edits, f->edits[i].span))
			return false;
	for (size_t i = 0; i < f->nedits; i++)
		edits_add(
		    &file->edits, f->edits[i].span.start, f->edits[i].span.end, f->edits[i].text);
	file->findings++;
	return true;
}

static const struct catalog *
catalog_named(const struct families *families, const char *name)
{
	for (size_t i = 0; i < families->n; i++)
		for (size_t k = 0; k < families->v[i].n; k++)
			if (strcmp(families->v[i].files[k]->name, name) == 0)
				return families->v[i].files[k];
	return NULL;
}

/* Spans count the BOM, so the edits are of the file's own bytes. */
static int
apply(struct fix_file *file, const struct catalog *c, bool dry_run)
{
	struct buf out = {0};
	struct err e;
	int rc = 0;

	if (!edits_apply(&file->edits, buf_slice(&c->content), &out)) {
		warn("%s: the fixes overlap: nothing was changed", file->name);
		rc = -1;
	} else if (!dry_run && path_replace(file->name, buf_slice(&out), NULL, &e) < 0) {
		warn("%s", e.text);
		rc = -1;
	} else {
		note("%s: %zu %s", file->name, file->findings, dry_run ? "to be fixed" : "fixed");
	}
	buf_free(&out);
	return rc;
}

int
fixes_apply(struct fixes *all, const struct families *families, bool dry_run)
{
	int rc = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct catalog *c = catalog_named(families, all->v[i].name);
		if (c && apply(&all->v[i], c, dry_run) < 0)
			rc = -1;
	}
	return rc;
}

void
fixes_free(struct fixes *all)
{
	for (size_t i = 0; i < all->n; i++)
		edits_free(&all->v[i].edits);
	free(all->v);
}
