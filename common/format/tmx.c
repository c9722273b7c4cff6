/*
 * Reading TMX: the variants of one <tu> are collected, and given out when it
 * closes, when the source among them is known.
 */
#include "common/format/tmx.h"

#include "common/format/arb.h"
#include "common/format/mark.h"
#include "common/format/tmx_text.h"
#include "common/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

enum {
	VARIANTS = 64,	      /* languages of one <tu> that are read; the rest is passed over */
	PROPERTY_MAX = 1000,
};

struct variant {
	struct slice locale, text;
	bool cut; /* it is not the whole */
	struct slice status; /* what its property says; len 0: nothing */
};

struct reader {
	struct catalog *c;
	catalog_visit_fn *fn;
	void *state;
	int ended; /* what fn returned */
	struct arena *arena; /* of one <tu> */
	bool whole; /* units with a source alone are given out too */
	struct tmx_text seg;
	struct buf words; /* of a property */
	bool full;
	size_t in_seg; /* the depth of the <seg>, 0: not in one */
	size_t in_property; /* the depth of the <prop>, 0: not in one */
	enum { NO_PROPERTY, STATUS, FORMAT } property; /* which one that is */
	const char *format; /* what the unit says of its texts; NULL: nothing */
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

/*
 * What the property says of the entry. A person may have edited the text since,
 * and then it says nothing; where the source is another than the one that is
 * remembered, the entry is stale.
 */
static void
take_status(const struct variant *v, struct catalog_entry *entry)
{
	struct buf hash = {0};
	struct mark mark;

	if (!v->status.len)
		return;
	mark_read_words(v->status, &mark);
	/* "stale-draft", by hand. */
	mark.stale |= slice_starts(v->status, "stale");
	if (slice_ends(v->status, "-draft"))
		mark.state = CATALOG_DRAFT;
	else if (slice_ends(v->status, "-fuzzy"))
		mark.state = CATALOG_FUZZY;
	mark_apply(&mark, v->text, entry);
	if (!entry->was_hash.len)
		return;
	arb_hash(entry->source, &hash);
	entry->stale = !slice_eq(entry->was_hash, buf_slice(&hash));
	buf_free(&hash);
}

static void
give_variant(struct reader *r, size_t i, size_t source)
{
	const struct variant *v = &r->variants[i];
	struct slice value = v->text;
	bool alone = i == source;
	struct catalog_entry entry = {.key = r->key.len ? r->key : r->variants[source].text,
	    .source = r->variants[source].text,
	    .format = r->format ? r->format : catalog_guess_format(r->variants[source].text),
	    .state = value.len && !alone ? CATALOG_TRANSLATED : CATALOG_MISSING,
	    .locale = alone ? S("") : v->locale,
	    .line = r->line,
	    .column = r->column,
	    .span = r->span};

	if (!alone) {
		entry.values = &value;
		entry.nvalues = 1;
		take_status(v, &entry);
		if (value.len && (v->cut || r->variants[source].cut))
			entry.state = CATALOG_FUZZY;
	}
	r->ended = r->fn(r->c, &entry, r->state);
}

static int
end_unit(struct reader *r)
{
	size_t source = source_variant(r);

	if (r->n == 1 && r->whole)
		give_variant(r, source, source);
	for (size_t i = 0; i < r->n && !r->ended; i++)
		if (i != source)
			give_variant(r, i, source);
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
	if (xml_attribute(event, "srclang", &value) && value.len && !slice_is(value, TMX_ALL))
		r->default_source = copy(r, value);
	r->line = event->line;
	r->column = event->column;
	r->span.start = event->start;
}

static void
open_property(struct reader *r, const struct xml_event *event)
{
	struct slice type;

	r->in_property = event->depth;
	r->property = NO_PROPERTY;
	buf_reset(&r->words);
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
	struct slice text = slice_trim(buf_slice(&r->words));

	for (size_t i = 0; i < 4 && r->property == FORMAT; i++)
		if (slice_is(text, formats[i]))
			r->format = formats[i];
	if (r->property == STATUS)
		r->variants[r->n - 1].status = copy(r, text);
	r->in_property = 0;
}

static void
open_element(struct reader *r, const struct xml_event *event)
{
	struct slice value;

	if (slice_is(event->name, "header")) {
		if (xml_attribute(event, "srclang", &value))
			r->c->source_locale = (struct slice){
			    arena_copy(&r->c->arena, value.ptr, value.len), value.len};
	} else if (slice_is(event->name, "tu")) {
		open_unit(r, event);
	} else if (slice_is(event->name, "tuv")) {
		if ((r->full = r->n == VARIANTS))
			return;
		struct variant *v = &r->variants[r->n++];
		*v = (struct variant){.locale = {"", 0}, .text = {"", 0}, .status = {"", 0}};
		if (xml_attribute(event, "xml:lang", &value) ||
		    xml_attribute(event, "lang", &value))
			v->locale = copy(r, value);
	} else if (slice_is(event->name, "prop")) {
		open_property(r, event);
	} else if (slice_is(event->name, "seg") && r->n && !r->full) {
		r->in_seg = event->depth;
		tmx_text_begin(&r->seg, r->arena);
	}
}

static int
close_element(struct reader *r, const struct xml_event *event)
{
	int rc;

	if (r->in_seg) {
		r->in_seg = 0;
		r->variants[r->n - 1].text = copy(r, buf_slice(&r->seg.text));
		r->variants[r->n - 1].cut = r->seg.cut;
	} else if (r->in_property) {
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

	if (r->in_seg && !(event->type == XML_CLOSE && event->depth == r->in_seg)) {
		tmx_text_event(&r->seg, event);
	} else if (r->in_property && !(event->type == XML_CLOSE && event->depth == r->in_property)) {
		/* Text alone: an element in it is none of ours, and no <tu>. */
		if (event->type == XML_TEXT && r->words.len + event->text.len <= PROPERTY_MAX)
			buf_addslice(&r->words, event->text);
	} else if (event->type == XML_OPEN) {
		open_element(r, event);
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
	if (entry->was_hash.len)
		kept->was_hash.ptr = arena_copy(a, entry->was_hash.ptr, entry->was_hash.len);
	if (entry->nvalues) {
		kept->values = arena_alloc(a, sizeof(*kept->values));
		kept->values->len = entry->values->len;
		kept->values->ptr = arena_copy(a, entry->values->ptr, entry->values->len);
	}
	catalog_index(c, c->n - 1);
	return 0;
}

int
tmx_parse(struct catalog *c, struct err *e)
{
	struct arena unit = {0};
	struct reader r = {.c = c, .fn = keep_entry, .state = c, .arena = &unit, .whole = true};
	int rc = xml_read(c->text, on_event, &r, e);

	arena_free(&unit);
	tmx_text_free(&r.seg);
	buf_free(&r.words);
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
	tmx_text_free(&r.seg);
	buf_free(&r.words);
	return rc;
}
