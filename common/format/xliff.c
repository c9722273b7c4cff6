/* Units as messages. */
#include "common/format/xliff.h"

#include "common/format/xliff_message.h"
#include "common/format/xliff_scan.h"
#include "common/format/xliff_segment.h"
#include "common/format/xml_text.h"

struct reader {
	struct catalog *c;
	struct xliff_file file;
	struct buf text, part;
};

static struct slice
keep(struct reader *r, struct slice text)
{
	return (struct slice){arena_copy(&r->c->arena, text.len ? text.ptr : "", text.len),
	    text.len};
}

/* -- a unit -- */

/* Both sides of all segments, joined; false: one has no target. */
static bool
join(const struct xliff_unit *u, bool target, struct buf *out)
{
	bool whole = false;

	for (size_t i = 0; i < u->n; i++) {
		const struct xliff_segment *s = &u->segments[i];
		if (target && !s->target.span.end && !s->ignorable)
			return false;
		whole |= !s->ignorable;
		buf_addslice(out, target && s->target.span.end ? s->target.text : s->source.text);
	}
	return whole;
}

static struct slice
message(struct reader *r, const struct xliff_unit *u, struct slice text, const char *format)
{
	buf_reset(&r->part);
	xliff_message_read(u, text, format, &r->part);
	return keep(r, buf_slice(&r->part));
}

/* Whether a person translated one of the segments of a unit. */
static bool
is_begun(const struct xliff_unit *u)
{
	bool stale, edited;

	for (size_t i = 0; i < u->n; i++) {
		const struct xliff_segment *s = &u->segments[i];
		if (!s->ignorable && s->target.text.len &&
		    xliff_state_of(s, &stale, &edited) >= CATALOG_TRANSLATED)
			return true;
	}
	return false;
}

static void
take_target(struct reader *r, const struct xliff_unit *u, struct catalog_entry *e)
{
	e->state = CATALOG_MISSING;
	buf_reset(&r->text);
	if (!join(u, true, &r->text)) {
		e->partial = is_begun(u);
		return;
	}
	if (!r->text.len)
		return;
	e->values = arena_alloc(&r->c->arena, sizeof(*e->values));
	e->values[0] = message(r, u, buf_slice(&r->text), e->format);
	e->nvalues = 1;
	e->state = CATALOG_APPROVED;
	for (size_t i = 0; i < u->n; i++) {
		const struct xliff_segment *s = &u->segments[i];
		enum catalog_state state = CATALOG_APPROVED;
		if (!s->ignorable)
			state = xliff_state_of(s, &e->stale, &e->edited);
		if (state < e->state)
			e->state = state;
	}
}

/* The name, or the id where there is none or another unit has it. */
static struct slice
key_of(struct reader *r, const struct xliff_unit *u)
{
	struct slice id = u->id.ptr ? u->id : S("");
	struct buf b = {0};

	if (u->name.len && !catalog_find(r->c, u->name))
		return keep(r, u->name);
	if (!u->name.len && !catalog_find(r->c, id))
		return keep(r, id);
	buf_addf(&b, "%.*s/%.*s", (int)u->file_id.len, u->file_id.len ? u->file_id.ptr : "",
	    (int)id.len, id.ptr);
	struct slice key = keep(r, buf_slice(&b));
	buf_free(&b);
	return key;
}

static void
add_unit(struct reader *r, const struct xliff_unit *u)
{
	struct catalog *c = r->c;
	struct catalog_entry *e = catalog_add(c);

	e->key = key_of(r, u);
	e->line = u->line;
	e->column = u->column;
	e->span = e->value_span = catalog_span(c, u->span.start, u->span.end);
	e->fixed = u->fixed;
	e->comment = keep(r, u->notes);
	if (u->context.ptr)
		e->context = keep(r, u->context);
	buf_reset(&r->text);
	join(u, false, &r->text);
	e->format = xliff_message_format(u, buf_slice(&r->text));
	e->source = message(r, u, buf_slice(&r->text), e->format);
	take_target(r, u, e);
	catalog_index(c, c->n - 1);
}

static void
take_locales(struct reader *r)
{
	struct catalog *c = r->c;

	c->source_locale = keep(r, r->file.source_locale);
	c->locale_member = keep(r, r->file.target_locale);
	if (c->locale_member.len)
		c->locale = c->locale_member;
}

int
xliff_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c};
	int rc = xliff_scan(c->text, &r.file, e);

	if (rc == 0)
		take_locales(&r);
	for (size_t i = 0; rc == 0 && i < r.file.n; i++)
		add_unit(&r, &r.file.v[i]);
	for (size_t i = 0; rc == 0 && i < r.file.nfaults; i++) {
		const struct xliff_fault *f = &r.file.faults[i];
		catalog_fault(c, f->rule, f->unit, f->span.start, f->span.end, "%s", f->text);
	}
	xliff_scan_free(&r.file);
	buf_free(&r.text);
	buf_free(&r.part);
	return rc;
}

int
xliff_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	(void)locale;
	if (memchr(text.ptr, '\0', text.len) || memchr(change->key.ptr, '\0', change->key.len))
		return err_set(e, "cannot_say", "XLIFF has no U+0000");
	if (xml_text_legal(change->key) < change->key.len)
		return err_set(e, "cannot_say", "its key has characters that XML cannot hold");
	buf_addslice(out, text);
	return 0;
}

void
xliff_skeleton(struct slice locale, struct slice source_locale, struct buf *out)
{
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<xliff xmlns=\"urn:oasis:names:tc:xliff:document:2.0\" version=\"2.1\"");
	xml_text_attribute("srcLang", source_locale, out);
	xml_text_attribute("trgLang", locale, out);
	buf_adds(out, ">\n  <file id=\"f1\">\n  </file>\n</xliff>\n");
}
