/*
 * Reading TMX: the variants of one <tu> are collected, and given out when it
 * closes, when the source among them is known.
 */
#include "common/format/tmx.h"

#include "common/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

enum {
	VARIANTS = 64,	      /* languages of one <tu> that are read; the rest is passed over */
	SEGMENT_MAX = 1 << 20, /* bytes of one text; a longer one is cut and fuzzy */
};

struct variant {
	struct slice locale, text;
	bool marked; /* inline markup was left out */
	enum catalog_state state;
	bool stale;
};

struct reader {
	struct catalog *c;
	catalog_visit_fn *fn;
	void *state;
	int ended; /* what fn returned */
	struct arena *arena; /* of one <tu> */
	struct buf seg; /* or a property's text */
	bool in_seg, marked, full;
	enum { NO_PROPERTY, STATUS, FORMAT } property; /* that is open */
	const char *format; /* what the unit says of its texts; NULL: nothing */
	size_t inner; /* elements open within the <seg> */
	struct variant variants[VARIANTS];
	size_t n;
	struct slice key, default_source;
	size_t line, column;
	struct catalog_span span;
};

static struct slice
copy(struct reader *r, struct slice text)
{
	return (struct slice){arena_copy(r->arena, text.len ? text.ptr : "", text.len), text.len};
}

static bool
same_locale(struct slice a, struct slice b)
{
	return a.len && a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

/* en matches en-US: srclang often names only the language. */
static bool
same_language(struct slice a, struct slice b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.ptr[n] != '-' && a.ptr[n] != '_')
		n++;
	return n && strncasecmp(a.ptr, b.ptr, n) == 0 &&
	    (n == a.len || a.ptr[n] == '-' || a.ptr[n] == '_') &&
	    (n == b.len || b.ptr[n] == '-' || b.ptr[n] == '_');
}

/* Which variant is the source: srclang's, else its language's, else the first. */
static size_t
source_variant(const struct reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (same_locale(r->variants[i].locale, r->default_source))
			return i;
	for (size_t i = 0; i < r->n; i++)
		if (same_language(r->variants[i].locale, r->default_source))
			return i;
	return 0;
}

static int
end_unit(struct reader *r)
{
	if (r->n < 2)
		return 0;
	size_t source = source_variant(r);
	for (size_t i = 0; i < r->n && !r->ended; i++) {
		const struct variant *v = &r->variants[i];
		struct slice value = v->text;
		struct catalog_entry entry = {.key = r->key,
		    .source = r->variants[source].text,
		    .values = &value,
		    .nvalues = 1,
		    .format = r->format ? r->format
					: catalog_guess_format(r->variants[source].text),
		    .state = v->state,
		    .stale = v->stale,
		    .locale = v->locale,
		    .line = r->line,
		    .column = r->column,
		    .span = r->span};
		if (i == source)
			continue;
		if (!value.len)
			entry.state = CATALOG_MISSING;
		else if (v->marked || r->variants[source].marked)
			entry.state = CATALOG_FUZZY;
		if (!entry.key.len)
			entry.key = entry.source;
		r->ended = r->fn(r->c, &entry, r->state);
	}
	return r->ended;
}

static void
open_unit(struct reader *r, const struct xml_event *event)
{
	struct slice value;

	arena_reset(r->arena);
	r->n = 0;
	r->format = NULL;
	r->key = xml_attribute(event, "tuid", &value) ? copy(r, value) : (struct slice){"", 0};
	r->default_source = r->c->source_locale;
	if (xml_attribute(event, "srclang", &value))
		r->default_source = copy(r, value);
	r->line = event->line;
	r->column = event->column;
	r->span.start = event->start;
}

static void
open_property(struct reader *r, const struct xml_event *event)
{
	struct slice type;

	r->property = NO_PROPERTY;
	buf_reset(&r->seg);
	if (!xml_attribute(event, "type", &type))
		return;
	if (slice_is(type, TMX_STATUS) && r->n && !r->full)
		r->property = STATUS;
	else if (slice_is(type, TMX_FORMAT) && !r->n)
		r->property = FORMAT;
}

/* The words are few; others are of a later version, and say nothing. */
static void
close_property(struct reader *r)
{
	static const char *const formats[] = {"icu", "printf", "i18next", "plain"};
	struct slice text = slice_trim(buf_slice(&r->seg));

	for (size_t i = 0; i < 4 && r->property == FORMAT; i++)
		if (slice_is(text, formats[i]))
			r->format = formats[i];
	if (r->property == STATUS) {
		struct variant *v = &r->variants[r->n - 1];
		if (slice_ends(text, "draft"))
			v->state = CATALOG_DRAFT;
		else if (slice_ends(text, "fuzzy"))
			v->state = CATALOG_FUZZY;
		v->stale = slice_starts(text, "stale");
	}
	r->property = NO_PROPERTY;
}

static void
open_element(struct reader *r, const struct xml_event *event)
{
	struct slice value;

	if (r->in_seg) {
		r->marked = true;
		r->inner++;
	} else if (slice_is(event->name, "header")) {
		if (xml_attribute(event, "srclang", &value))
			r->c->source_locale = (struct slice){
			    arena_copy(&r->c->arena, value.ptr, value.len), value.len};
	} else if (slice_is(event->name, "tu")) {
		open_unit(r, event);
	} else if (slice_is(event->name, "tuv")) {
		if ((r->full = r->n == VARIANTS))
			return;
		struct variant *v = &r->variants[r->n++];
		*v = (struct variant){
		    .locale = {"", 0}, .text = {"", 0}, .state = CATALOG_TRANSLATED};
		if (xml_attribute(event, "xml:lang", &value) ||
		    xml_attribute(event, "lang", &value))
			v->locale = copy(r, value);
	} else if (slice_is(event->name, "prop")) {
		open_property(r, event);
	} else if (slice_is(event->name, "seg") && r->n && !r->full) {
		r->in_seg = true;
		r->marked = false;
		r->inner = 0;
		buf_reset(&r->seg);
	}
}

static int
close_element(struct reader *r, const struct xml_event *event)
{
	int rc;

	if (r->in_seg && r->inner) {
		r->inner--;
	} else if (r->in_seg) {
		r->in_seg = false;
		r->variants[r->n - 1].text = copy(r, buf_slice(&r->seg));
		r->variants[r->n - 1].marked = r->marked;
	} else if (r->property) {
		close_property(r);
	} else if (slice_is(event->name, "tu")) {
		r->span.end = event->end;
		rc = end_unit(r);
		r->n = 0;
		return rc;
	}
	return 0;
}

static int
on_event(const struct xml_event *event, void *state)
{
	struct reader *r = state;

	if (event->type == XML_OPEN) {
		open_element(r, event);
	} else if (event->type == XML_TEXT) {
		/* Text of inner elements is native code. */
		if ((r->in_seg && !r->inner) || r->property) {
			if (r->seg.len + event->text.len <= SEGMENT_MAX)
				buf_addslice(&r->seg, event->text);
			else
				r->marked = true;
		}
	} else if (event->type == XML_CLOSE) {
		return close_element(r, event);
	}
	return 0;
}

static int
keep_entry(const struct catalog *seen, const struct catalog_entry *entry, void *state)
{
	struct catalog *c = state;
	struct arena *a = &c->arena;
	struct catalog_entry *kept = catalog_add(c);

	(void)seen;
	*kept = *entry;
	kept->key.ptr = arena_copy(a, entry->key.ptr, entry->key.len);
	kept->source.ptr = arena_copy(a, entry->source.ptr, entry->source.len);
	kept->locale.ptr = arena_copy(a, entry->locale.ptr, entry->locale.len);
	kept->values = arena_alloc(a, sizeof(*kept->values));
	kept->values->len = entry->values->len;
	kept->values->ptr = arena_copy(a, entry->values->ptr, entry->values->len);
	return 0;
}

int
tmx_parse(struct catalog *c, struct err *e)
{
	struct arena unit = {0};
	struct reader r = {.c = c, .fn = keep_entry, .state = c, .arena = &unit};
	int rc = xml_read(c->text, on_event, &r, e);

	arena_free(&unit);
	buf_free(&r.seg);
	return rc;
}

int
tmx_visit(struct catalog *c, catalog_visit_fn *fn, void *state, struct err *e)
{
	struct arena unit = {0};
	struct reader r = {.c = c, .fn = fn, .state = state, .arena = &unit};
	int fd = open(c->name, O_RDONLY | O_CLOEXEC), rc = 0;
	char piece[1 << 16];
	ssize_t n = 1;

	if (fd < 0)
		return err_set(e, "cannot_read", "%s", strerror(errno));
	struct xml *x = xml_open(on_event, &r);
	while (n > 0 && rc == 0) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		rc = n < 0 ? err_set(e, "cannot_read", "%s", strerror(errno))
			   : xml_feed(x, (struct slice){piece, (size_t)n}, n == 0, e);
	}
	xml_close(x);
	close(fd);
	arena_free(&unit);
	buf_free(&r.seg);
	return rc;
}
