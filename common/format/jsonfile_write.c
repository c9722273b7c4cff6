/* A JSON text with its changes, by splices: what is not changed stays as it is. */
#include "common/format/jsonfile.h"

static bool
is_kept(const struct jsonfile_node *node)
{
	return node->value.ptr && !node->removed;
}

static void write_member(const struct jsonfile *, size_t node, int level, struct buf *out);

static void
write_new(const struct jsonfile *f, size_t node, int level, struct buf *out)
{
	const struct jsonfile_node *at = &f->v[node];
	bool first = true;

	if (at->type < JSON_ARRAY || at->written.ptr) {
		buf_addslice(out, at->written.ptr ? at->written : S("\"\""));
		return;
	}
	buf_addc(out, at->type == JSON_OBJECT ? '{' : '[');
	for (size_t i = at->first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (f->v[i].removed)
			continue;
		arb_style_separate(&f->style, level + 1, first, out);
		write_member(f, i, level + 1, out);
		first = false;
	}
	if (!first)
		arb_style_close(&f->style, level, out);
	buf_addc(out, at->type == JSON_OBJECT ? '}' : ']');
}

static void
write_member(const struct jsonfile *f, size_t node, int level, struct buf *out)
{
	if (f->v[f->v[node].parent].type == JSON_OBJECT)
		arb_style_name(&f->style, f->v[node].name, out);
	write_new(f, node, level, out);
}

/* A container that keeps nothing of what it had: its inside is written whole. */
static void
rewrite_inside(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	struct slice value = f->v[container].value;
	size_t start = (size_t)(value.ptr - f->text.ptr);
	struct buf b = {0};
	bool first = true;

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (f->v[i].removed || f->v[i].value.ptr)
			continue;
		arb_style_separate(&f->style, level + 1, first, &b);
		write_member(f, i, level + 1, &b);
		first = false;
	}
	if (!first)
		arb_style_close(&f->style, level, &b);
	edits_add(edits, start + 1, start + value.len - 1, buf_slice(&b));
	buf_free(&b);
}

static size_t
first_kept(const struct jsonfile *f, size_t container)
{
	size_t i = f->v[container].first;

	while (i != JSONFILE_NONE && !is_kept(&f->v[i]))
		i = f->v[i].next;
	return i;
}

/* New members, each behind the last kept one before it, or before the first kept one. */
static void
insert_new(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	size_t first = first_kept(f, container), anchor = JSONFILE_NONE, place;
	struct buf b = {0};

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (is_kept(&f->v[i]))
			anchor = i;
		if (f->v[i].value.ptr || f->v[i].removed)
			continue;
		buf_reset(&b);
		if (anchor == JSONFILE_NONE) {
			write_member(f, i, level + 1, &b);
			arb_style_separate(&f->style, level + 1, false, &b);
			place = jsonfile_start(f, first);
		} else {
			arb_style_separate(&f->style, level + 1, false, &b);
			write_member(f, i, level + 1, &b);
			place = jsonfile_end(f, anchor);
		}
		edits_add(edits, place, place, buf_slice(&b));
	}
	buf_free(&b);
}

/* Each removed member goes with the comma before it, or after it where nothing is kept before. */
static void
remove_members(const struct jsonfile *f, size_t container, struct edits *edits)
{
	size_t before = JSONFILE_NONE, after; /* of those in the text */
	bool kept = false;

	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		if (!f->v[i].value.ptr)
			continue;
		for (after = f->v[i].next; after != JSONFILE_NONE && !f->v[after].value.ptr;)
			after = f->v[after].next;
		if (!f->v[i].removed)
			kept = true;
		else if (kept)
			edits_add(edits, jsonfile_end(f, before), jsonfile_end(f, i), S(""));
		else if (after != JSONFILE_NONE)
			edits_add(edits, jsonfile_start(f, i), jsonfile_start(f, after), S(""));
		before = i;
	}
}

static void
edit_container(const struct jsonfile *f, size_t container, int level, struct edits *edits)
{
	struct buf b = {0};

	if (first_kept(f, container) == JSONFILE_NONE) {
		rewrite_inside(f, container, level, edits);
		return;
	}
	/* Where an insertion and another edit meet the one that was added first is made first. */
	insert_new(f, container, level, edits);
	for (size_t i = f->v[container].first; i != JSONFILE_NONE; i = f->v[i].next) {
		const struct jsonfile_node *at = &f->v[i];
		if (!is_kept(at) || !at->touched)
			continue;
		size_t start = jsonfile_start(f, i), end = jsonfile_end(f, i);
		if (at->renamed) {
			buf_reset(&b);
			json_quote(&b, at->name);
			edits_add(edits, start, start + at->raw.len, buf_slice(&b));
		}
		if (at->written.ptr)
			edits_add(edits, end - at->value.len, end, at->written);
		else if (at->type >= JSON_ARRAY)
			edit_container(f, i, level + 1, edits);
	}
	remove_members(f, container, edits);
	buf_free(&b);
}

void
jsonfile_write(struct jsonfile *f, struct edits *more, struct buf *out)
{
	struct edits none = {0}, *edits = more ? more : &none;

	if (f->v[0].touched)
		edit_container(f, 0, 0, edits);
	/* Edits lie on members, or at their ends, and members do not overlap. */
	if (!edits_apply(edits, f->text, out))
		die(STATUS_FAILED, "changes to JSON overlap: this is a fault of the program");
	edits_free(&none);
}
