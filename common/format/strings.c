/* Reading .strings: items as entries. */
#include "common/format/strings.h"

#include "common/format/mark.h"
#include "common/format/printf_message.h"
#include "common/format/strings_scan.h"
#include "common/format/utf16.h"

#include <stdlib.h>

static struct slice
keep(struct catalog *c, struct slice text)
{
	return (struct slice){arena_copy(&c->arena, text.len ? text.ptr : "", text.len), text.len};
}

static int
to_utf8(struct catalog *c, struct err *e)
{
	struct slice charset = utf16_charset(c->text);
	struct buf text = {0};

	if (!charset.len)
		return 0;
	if (utf16_decode(c->text, &text, e) < 0) {
		buf_free(&text);
		return -1;
	}
	c->text = keep(c, buf_slice(&text));
	c->charset = charset;
	c->converted = true;
	buf_free(&text);
	return 0;
}

static void
add_entry(struct catalog *c, const struct strings_item *item, struct catalog_cursor *cursor)
{
	struct catalog_entry *e = catalog_add(c);
	struct slice raw = {c->text.ptr + item->text.start, item->text.end - item->text.start};
	struct mark mark;

	e->key = keep(c, item->key);
	if (item->value.len) {
		e->values = arena_alloc(&c->arena, sizeof(*e->values));
		e->values[0] = keep(c, item->value);
		e->nvalues = 1;
		e->state = CATALOG_TRANSLATED;
	}
	e->format = printf_format_of(item->value);
	if (item->comment.len)
		e->comment = keep(c, item->comment);
	if (item->mark_text.len && mark_read(item->mark_text, &mark)) {
		mark_apply(&mark, raw, e);
		e->was_hash = keep(c, e->was_hash);
	}
	e->span = catalog_span(c, item->name.start, item->end);
	e->value_span = catalog_span(c, item->text.start, item->text.end);
	catalog_seek(cursor, c->text, item->name.start, &e->line, &e->column);
	catalog_index(c, c->n - 1);
	if (item->fault)
		catalog_fault(c, "bad-escape", c->n - 1, item->name.start, item->end, "%s",
		    item->fault);
}

int
strings_parse(struct catalog *c, struct err *e)
{
	struct catalog_cursor cursor = {0};
	struct strings_file f;
	int rc;

	if (to_utf8(c, e) < 0)
		return -1;
	rc = strings_scan(c->text, &f, e);
	for (size_t i = 0; rc == 0 && i < f.n; i++)
		add_entry(c, &f.v[i], &cursor);
	strings_scan_free(&f);
	return rc;
}

void
strings_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	/* An empty file is one. */
	(void)locale;
	(void)source_locale;
	(void)out;
}

int
strings_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	size_t mark = out->len;

	if (printf_say(change, text, locale, PRINTF_APPLE, out, e) < 0)
		return -1;
	if (!slice_starts((struct slice){out->ptr + mark, out->len - mark}, "plural "))
		return 0;
	buf_cut(out, mark);
	return err_set(e, "cannot_say", ".strings has no plural: it belongs in a .stringsdict");
}
