/* Entries that nothing names any more become obsolete, as msgmerge makes them. */
#include "common/format/po.h"

#include "common/format/edit.h"

#include <stdlib.h>

/* The entry's lines behind #~; an untranslated one goes altogether. */
static void
make_obsolete(const struct catalog *c, const struct catalog_entry *e, size_t base, struct buf *out)
{
	const char *p = c->text.ptr + e->span.start - base, *end = c->text.ptr + e->span.end - base;

	if (e->state == CATALOG_MISSING)
		return;
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct slice line = {p, (size_t)((lf ? lf : end) - p) + (lf ? 1 : 0)}, rest;
		char mark = po_line(line, &rest);

		p += line.len;
		if (mark == ':' || mark == '.')
			continue;
		if (mark == '\0')
			buf_adds(out, "#~ ");
		else if (mark == '|')
			buf_adds(out, "#~|");
		buf_addslice(out, mark == '|' ? rest : line);
	}
}

void
po_prune(const struct catalog *old, const struct catalog_change *changes, size_t n,
    struct buf *out)
{
	struct edits edits = {0};
	struct buf text = {0};
	size_t base = old->bom ? 3 : 0;
	bool *named = xcalloc(old->n + 1, sizeof(*named));

	for (size_t i = 0; i < n; i++) {
		const struct catalog_entry *e = po_find(old, &changes[i]);
		if (e)
			named[e - old->entries] = true;
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct catalog_entry *e = &old->entries[i];
		size_t start = e->span.start - base, end = e->span.end - base;
		if (named[i] || e->obsolete)
			continue;
		buf_reset(&text);
		make_obsolete(old, e, base, &text);
		/* An entry that goes takes the blank line before it along. */
		while (!text.len && start > 1 && old->text.ptr[start - 1] == '\n' &&
		    old->text.ptr[start - 2] == '\n')
			start--;
		edits_add(&edits, start, end, buf_slice(&text));
	}
	if (old->bom)
		buf_adds(out, "\xef\xbb\xbf");
	if (!edits_apply(&edits, old->text, out))
		die(STATUS_FAILED, "%s: changes overlap: this is a fault of the program",
		    old->name);
	edits_free(&edits);
	buf_free(&text);
	free(named);
}
