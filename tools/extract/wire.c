#include "tools/extract/wire.h"

#include "common/mem.h"

#include <stdlib.h>

static void
put_number(struct buf *out, size_t n)
{
	uint64_t v = n;

	buf_add(out, &v, sizeof(v));
}

static void
put_text(struct buf *out, struct slice s)
{
	put_number(out, s.len);
	buf_addslice(out, s);
}

static void
put_list(struct buf *out, const struct placeholder *v, size_t n)
{
	put_number(out, n);
	for (size_t i = 0; i < n; i++) {
		put_text(out, v[i].name);
		put_text(out, v[i].expr);
		put_text(out, v[i].type);
	}
}

void
wire_put(struct buf *out, const struct found *f)
{
	put_text(out, slice(f->kind));
	put_text(out, slice(f->format ? f->format : ""));
	put_number(out, f->start);
	put_number(out, f->end);
	put_number(out, f->line);
	put_number(out, f->column);
	put_number(out, (size_t)f->level);
	put_text(out, f->reason);
	put_text(out, f->widget);
	put_text(out, f->context);
	put_text(out, f->value);
	put_text(out, f->plural);
	put_text(out, f->quote);
	put_text(out, f->raw);
	put_text(out, f->key);
	put_text(out, f->rule);
	put_list(out, f->placeholders, f->nplaceholders);
	put_list(out, f->captures, f->ncaptures);
}

static bool
get_number(struct slice *bytes, size_t *n)
{
	uint64_t v;

	if (bytes->len < sizeof(v))
		return false;
	memcpy(&v, bytes->ptr, sizeof(v));
	bytes->ptr += sizeof(v);
	bytes->len -= sizeof(v);
	*n = v;
	return true;
}

static bool
get_text(struct slice *bytes, struct slice *s)
{
	size_t len;

	if (!get_number(bytes, &len) || len > bytes->len)
		return false;
	*s = (struct slice){bytes->ptr, len};
	bytes->ptr += len;
	bytes->len -= len;
	return true;
}

static bool
get_list(struct slice *bytes, struct placeholder **v, size_t *cap, size_t *n)
{
	size_t count;

	if (!get_number(bytes, &count) || count > bytes->len)
		return false;
	for (*n = 0; *n < count; ++*n) {
		*v = xgrow(*v, *n, cap, sizeof(**v));
		struct placeholder *p = &(*v)[*n];
		if (!get_text(bytes, &p->name) || !get_text(bytes, &p->expr) ||
		    !get_text(bytes, &p->type))
			return false;
	}
	return true;
}

/* Text that must end in a NUL: kind and format. */
static bool
get_word(struct slice *bytes, struct buf *out, const char **word)
{
	struct slice s;

	if (!get_text(bytes, &s))
		return false;
	buf_reset(out);
	buf_addslice(out, s);
	*word = out->ptr != NULL ? out->ptr : "";
	return true;
}

bool
wire_get(struct wire *w, struct slice *b, struct found *f)
{
	size_t level;

	*f = (struct found){0};
	if (b->len == 0 || !get_word(b, &w->kind, &f->kind) || !get_word(b, &w->format, &f->format) ||
	    !get_number(b, &f->start) || !get_number(b, &f->end) || !get_number(b, &f->line) ||
	    !get_number(b, &f->column) || !get_number(b, &level) || !get_text(b, &f->reason) ||
	    !get_text(b, &f->widget) || !get_text(b, &f->context) || !get_text(b, &f->value) ||
	    !get_text(b, &f->plural) || !get_text(b, &f->quote) || !get_text(b, &f->raw) ||
	    !get_text(b, &f->key) || !get_text(b, &f->rule) ||
	    !get_list(b, &w->placeholders, &w->cap_placeholders, &f->nplaceholders) ||
	    !get_list(b, &w->captures, &w->cap_captures, &f->ncaptures))
		return false;
	f->level = (enum level)level;
	f->placeholders = w->placeholders;
	f->captures = w->captures;
	return true;
}

void
wire_free(struct wire *w)
{
	free(w->placeholders);
	free(w->captures);
	buf_free(&w->kind);
	buf_free(&w->format);
	*w = (struct wire){0};
}
