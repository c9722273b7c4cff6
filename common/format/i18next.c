/* Reading: the model's items as entries. */
#include "common/format/i18next.h"

#include "common/format/arb.h"
#include "common/format/arb_state.h"
#include "common/format/i18next_message.h"
#include "common/format/i18next_model.h"

static struct slice
keep(struct catalog *c, struct slice text)
{
	return (struct slice){arena_copy(&c->arena, text.len ? text.ptr : "", text.len), text.len};
}

static void
add_entry(struct catalog *c, const struct i18next_model *m, const struct i18next_item *item,
    struct catalog_cursor *cursor)
{
	const struct jsonfile *f = &m->file;
	struct catalog_entry *e = catalog_add(c);
	size_t start = jsonfile_start(f, item->first), end = jsonfile_end(f, item->first);

	e->key = keep(c, item->key);
	e->format = item->format;
	if (item->message.ptr) {
		e->values = arena_alloc(&c->arena, sizeof(*e->values));
		e->values[0] = keep(c, item->message);
		e->nvalues = 1;
		e->state = CATALOG_TRANSLATED;
	}
	e->span = catalog_span(c, start, end);
	e->value_span = catalog_span(c, end - f->v[item->first].value.len, end);
	catalog_seek(cursor, c->text, start, &e->line, &e->column);
	catalog_index(c, c->n - 1);
}

int
i18next_parse(struct catalog *c, struct err *e)
{
	struct i18next_model m;
	struct catalog_cursor cursor = {0};
	int rc = i18next_open(&m, c->text, c->locale, c, e);

	for (size_t i = 0; rc == 0 && i < m.n; i++)
		add_entry(c, &m, &m.v[i], &cursor);
	if (rc == 0 && m.states != JSONFILE_NONE) {
		c->states = m.file.v[m.states].value;
		arb_states_read(c);
	}
	i18next_close(&m);
	return rc;
}

void
i18next_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	(void)locale;
	(void)source_locale;
	buf_adds(out, "{}\n");
}

int
i18next_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	struct arena arena = {0};
	struct forms f;
	int rc = i18next_split(text, change->format, locale, &arena, &f, e);

	for (int c = 0; rc == 0 && c < PLURAL_CATEGORIES; c++) {
		if (!f.text[c].ptr)
			continue;
		if (f.plural)
			buf_addf(out, "%s %s%c", f.ordinal ? "ordinal" : "plural",
			    plural_name((enum plural_category)c), '\0');
		buf_addslice(out, f.text[c]);
		buf_addc(out, '\0');
	}
	arena_free(&arena);
	return rc;
}
