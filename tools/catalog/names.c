/* Names or positions: one of the two for all languages of a message. */
#include "tools/catalog/names.h"

#include "common/message.h"

/* Whether each name of text is one of base. */
static bool
has_names(struct slice base, struct slice text, struct arena *arena)
{
	struct message_placeholder *v, *w;
	struct message a, b;
	size_t n, k;

	if (message_parse(base, MESSAGE_ICU, arena, &a, NULL) < 0 ||
	    message_parse(text, MESSAGE_ICU, arena, &b, NULL) < 0)
		return false;
	n = message_placeholders(&a, arena, &v);
	for (size_t i = message_placeholders(&b, arena, &w); i-- > 0;) {
		for (k = 0; k < n && !slice_eq(v[k].name, w[i].name);)
			k++;
		if (k == n)
			return false;
	}
	return true;
}

static bool
agree(const struct catalog_entry *base, const struct catalog_entry *e, struct arena *arena)
{
	if (!base->nvalues || !e->nvalues)
		return true;
	return strcmp(base->format, e->format) == 0 &&
	    (strcmp(e->format, "icu") != 0 || has_names(base->values[0], e->values[0], arena));
}

static void
take_positions(struct catalog_entry *e)
{
	if (!e->positional.ptr || !e->nvalues)
		return;
	e->values[0] = e->positional;
	e->format = e->positional_format;
	e->positional.ptr = NULL;
}

/* base is the entry of the first file, the template's where there is one. */
static void
unify(struct family *f, size_t first, struct catalog_entry *base, struct arena *arena)
{
	bool all = true;

	for (size_t i = first + 1; i < f->n && all; i++) {
		const struct catalog_entry *e = catalog_find(f->files[i], base->key);
		all = !e || agree(base, e, arena);
	}
	for (size_t i = first; i < f->n && !all; i++) {
		struct catalog_entry *e = catalog_find(f->files[i], base->key);
		if (e)
			take_positions(e);
	}
}

void
names_unify(struct family *f)
{
	struct arena arena = {0};

	if (f->files[0]->format != CATALOG_ANDROID)
		return;
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->files[i]->n; k++) {
			struct catalog_entry *e = &f->files[i]->entries[k];
			bool seen = false;
			for (size_t j = 0; j < i && !seen; j++)
				seen = catalog_find(f->files[j], e->key) != NULL;
			if (!seen)
				unify(f, i, e, &arena);
			arena_reset(&arena);
		}
	arena_free(&arena);
}
