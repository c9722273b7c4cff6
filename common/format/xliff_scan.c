/* One pass over the document; modules and extensions are passed over. */
#include "common/format/xliff_scan.h"

#include "common/format/xml_text.h"
#include "common/hash.h"
#include "common/xml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CODES = 256, SEGMENTS = 1000, FAULTS = 1000 };

struct scan {
	struct xliff_file *file;
	struct slice document;
	struct xliff_unit *unit; /* that is open, or NULL */
	struct xliff_segment *segment;
	struct xliff_side *side; /* whose text is read */
	struct slice file_id;
	size_t depth;		 /* of the side's element, of data */
	size_t unit_depth;
	struct buf text;
	/* original data of the unit */
	struct table data; /* id → index, + 1 */
	struct slice *items;
	size_t nitems, items_cap;
	struct slice data_id;
	bool in_data, in_note, note_is_context;
	struct buf notes; /* of the unit, a line each */
	struct slice pairs[CODES]; /* what the open pc elements say at their end */
	size_t npairs;
	struct table ids; /* of the units of a file */
	bool has_target;
	const char *refused;
};

static struct slice
copy(struct scan *s, struct slice text)
{
	return (struct slice){arena_copy(&s->file->arena, text.len ? text.ptr : "", text.len),
	    text.len};
}

/* A copy of an attribute's value; ptr NULL: there is none. */
static struct slice
attribute(struct scan *s, const struct xml_event *event, const char *name)
{
	struct slice value;

	return xml_attribute(event, name, &value) ? copy(s, value) : (struct slice){NULL, 0};
}

static void __attribute__((format(printf, 4, 5)))
fault(struct scan *s, const char *rule, const struct xml_event *event, const char *format, ...)
{
	struct xliff_file *f = s->file;
	va_list ap;

	if (f->nfaults == FAULTS)
		return;
	f->faults = xgrow(f->faults, f->nfaults, &f->faults_cap, sizeof(*f->faults));
	struct xliff_fault *one = &f->faults[f->nfaults++];
	one->rule = rule;
	one->span = (struct catalog_span){event->start, event->end};
	one->unit = s->unit ? f->n - 1 : SIZE_MAX;
	va_start(ap, format);
	vsnprintf(one->text, sizeof(one->text), format, ap);
	va_end(ap);
}

/* -- inline elements -- */

static struct slice
raw_tag(const struct scan *s, const struct xml_event *event)
{
	return (struct slice){s->document.ptr + event->start, event->end - event->start};
}

/* What the code's original data says; len 0: it has none. */
static struct slice
data_of(struct scan *s, const struct xml_event *event, const char *name)
{
	struct slice ref;
	const uint64_t *at;

	if (!xml_attribute(event, name, &ref))
		return (struct slice){"", 0};
	at = table_get(&s->data, ref);
	if (!at) {
		fault(s, "dangling-data", event, "there is no original data '%.40s'", ref.ptr);
		return (struct slice){"", 0};
	}
	return s->items[*at - 1];
}

/* The code's text goes into the message; of a source it is remembered. */
static void
add_code(struct scan *s, struct slice text, struct slice raw, bool alone)
{
	struct xliff_unit *u = s->unit;

	if (s->text.len + text.len <= XML_LONGEST)
		buf_addslice(&s->text, text);
	if (s->side != &s->segment->source || u->ncodes == CODES)
		return;
	u->codes = xgrow(u->codes, u->ncodes, &u->codes_cap, sizeof(*u->codes));
	u->codes[u->ncodes++] = (struct xliff_code){text, raw, alone};
}

/* <cp hex="0007"/>: a character that XML cannot hold. U+0000 is in no text of ours. */
static void
add_character(struct scan *s, const struct xml_event *event)
{
	struct slice hex;
	unsigned long code;

	if (!xml_attribute(event, "hex", &hex))
		return;
	code = strtoul(hex.ptr, NULL, 16);
	if (code && code <= 0x10ffff)
		buf_addutf8(&s->text, (uint32_t)code);
}

static void
open_inline(struct scan *s, const struct xml_event *event)
{
	struct slice raw = raw_tag(s, event), text;
	bool pair = slice_is(event->name, "pc");

	if (slice_is(event->name, "cp")) {
		add_character(s, event);
	} else if (pair || slice_is(event->name, "ph") || slice_is(event->name, "sc") ||
	    slice_is(event->name, "ec")) {
		text = data_of(s, event, pair ? "dataRefStart" : "dataRef");
		add_code(s, text.len ? text : raw, raw, slice_is(event->name, "ph"));
		if (pair && s->npairs < CODES)
			s->pairs[s->npairs++] = data_of(s, event, "dataRefEnd");
		else if (pair)
			s->refused = "codes are nested too deeply";
	}
}

static void
close_inline(struct scan *s, const struct xml_event *event)
{
	struct slice text;

	if (!slice_is(event->name, "pc") || !s->npairs)
		return;
	text = s->pairs[--s->npairs];
	if (event->start == event->end)
		return; /* <pc …/>: its tag said all */
	add_code(s, text.len ? text : raw_tag(s, event), raw_tag(s, event), false);
}

/* -- the structure -- */

static bool
is_nmtoken(struct slice id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!isalnum((unsigned char)id.ptr[i]) && !strchr("._:-", id.ptr[i]) &&
		    (unsigned char)id.ptr[i] < 0x80)
			return false;
	return id.len > 0;
}

static void
open_unit(struct scan *s, const struct xml_event *event)
{
	struct xliff_file *f = s->file;
	struct slice value;
	bool added;

	f->v = xgrow(f->v, f->n, &f->cap, sizeof(*f->v));
	s->unit = &f->v[f->n++];
	*s->unit = (struct xliff_unit){.id = attribute(s, event, "id"),
	    .name = attribute(s, event, "name"),
	    .type = attribute(s, event, "type"),
	    .file_id = s->file_id,
	    .fixed = xml_attribute(event, "translate", &value) && slice_is(value, "no"),
	    .tag = {event->start, event->end},
	    .line = event->line,
	    .column = event->column};
	s->unit->span.start = event->start;
	s->unit_depth = event->depth;
	table_free(&s->data);
	s->data = (struct table){0};
	s->nitems = 0;
	if (!s->unit->id.ptr || !is_nmtoken(s->unit->id)) {
		fault(s, "bad-id", event, "a unit needs an id without blanks and slashes");
		return;
	}
	table_put(&s->ids, s->unit->id, &added);
	if (!added)
		fault(s, "bad-id", event, "the id '%.60s' stands twice", s->unit->id.ptr);
}

static void
open_segment(struct scan *s, const struct xml_event *event)
{
	struct xliff_unit *u = s->unit;

	if (u->n == SEGMENTS || s->segment) {
		s->refused = s->segment ? "a segment stands within another"
					: "a unit has too many segments";
		return;
	}
	u->segments = xgrow(u->segments, u->n, &u->cap, sizeof(*u->segments));
	s->segment = &u->segments[u->n++];
	*s->segment = (struct xliff_segment){.ignorable = slice_is(event->name, "ignorable"),
	    .tag = {event->start, event->end},
	    .id = attribute(s, event, "id"),
	    .state = attribute(s, event, "state"),
	    .substate = attribute(s, event, "subState")};
	s->segment->span.start = event->start;
}

static void
open_side(struct scan *s, const struct xml_event *event, struct xliff_side *side)
{
	if (side->span.start)
		s->refused = "a segment has two sources, or two targets";
	s->side = side;
	s->depth = event->depth;
	s->npairs = 0;
	side->span.start = event->start;
	side->content.start = event->end;
	buf_reset(&s->text);
}

static void
open_root(struct scan *s, const struct xml_event *event)
{
	struct slice version = attribute(s, event, "version");

	if (!slice_is(event->name, "xliff")) {
		s->refused = "no XLIFF: the root element is not 'xliff'";
	} else if (!version.ptr || !slice_starts(version, "2.")) {
		s->refused = "XLIFF 1.2 is not read: convert it to 2.0 or 2.1";
		return;
	}
	s->file->root = (struct catalog_span){event->start, event->end};
	s->file->source_locale = attribute(s, event, "srcLang");
	s->file->target_locale = attribute(s, event, "trgLang");
}

static void
open_element(struct scan *s, const struct xml_event *event)
{
	struct slice name = event->name, category;

	if (s->side || s->in_data) {
		if (s->side)
			open_inline(s, event);
		else if (slice_is(name, "cp"))
			add_character(s, event);
	} else if (event->depth == 1) {
		open_root(s, event);
	} else if (slice_is(name, "file")) {
		s->file_id = attribute(s, event, "id");
		s->file->file_tag = (struct catalog_span){event->start, event->end};
		s->file->file = (struct catalog_span){event->end, event->end};
		table_free(&s->ids);
		s->ids = (struct table){0};
	} else if (slice_is(name, "unit")) {
		if (s->unit)
			s->refused = "a unit stands within another";
		else
			open_unit(s, event);
	} else if (!s->unit) {
		;
	} else if (slice_is(name, "segment") || slice_is(name, "ignorable")) {
		open_segment(s, event);
	} else if (s->segment && slice_is(name, "source")) {
		open_side(s, event, &s->segment->source);
	} else if (s->segment && slice_is(name, "target")) {
		open_side(s, event, &s->segment->target);
		s->has_target = true;
	} else if (slice_is(name, "originalData") && event->depth == s->unit_depth + 1) {
		s->unit->data.start = event->start;
	} else if (slice_is(name, "data") && s->unit->data.start && !s->unit->data.end) {
		s->in_data = true;
		s->depth = event->depth;
		s->data_id = attribute(s, event, "id");
		buf_reset(&s->text);
	} else if (slice_is(name, "note")) {
		s->in_note = true;
		s->note_is_context =
		    xml_attribute(event, "category", &category) && slice_is(category, "context");
		buf_reset(&s->text);
	}
}

static void
close_data(struct scan *s)
{
	s->in_data = false;
	if (!s->data_id.ptr)
		return;
	s->items = xgrow(s->items, s->nitems, &s->items_cap, sizeof(*s->items));
	s->items[s->nitems++] = copy(s, buf_slice(&s->text));
	*table_put(&s->data, s->data_id, NULL) = s->nitems;
}

static void
close_note(struct scan *s)
{
	struct slice text = slice_trim(buf_slice(&s->text));

	s->in_note = false;
	if (s->note_is_context) {
		s->unit->context = copy(s, text);
	} else if (s->notes.len + text.len <= XML_LONGEST) {
		if (s->notes.len)
			buf_addc(&s->notes, '\n');
		buf_addslice(&s->notes, text);
	}
}

static void
close_element(struct scan *s, const struct xml_event *event)
{
	struct slice name = event->name;

	if (s->side && event->depth == s->depth) {
		s->side->content.end = event->start;
		s->side->span.end = event->end;
		s->side->text = copy(s, buf_slice(&s->text));
		s->side = NULL;
	} else if (s->side) {
		close_inline(s, event);
	} else if (s->in_data && event->depth == s->depth) {
		close_data(s);
	} else if (slice_is(name, "file")) {
		s->file->file.end = event->start;
	} else if (!s->unit || s->in_data) {
		;
	} else if (s->segment && (slice_is(name, "segment") || slice_is(name, "ignorable"))) {
		s->segment->span.end = event->end;
		s->segment = NULL;
	} else if (slice_is(name, "originalData") && event->depth == s->unit_depth + 1) {
		s->unit->data.end = event->end;
	} else if (s->in_note && slice_is(name, "note")) {
		close_note(s);
	} else if (slice_is(name, "unit")) {
		s->unit->notes = copy(s, buf_slice(&s->notes));
		buf_reset(&s->notes);
		s->unit->span.end = event->end;
		s->unit = NULL;
		s->segment = NULL;
	}
}

static int
on_event(const struct xml_event *event, void *state)
{
	struct scan *s = state;

	if (event->type == XML_OPEN)
		open_element(s, event);
	else if (event->type == XML_CLOSE)
		close_element(s, event);
	else if (event->type == XML_TEXT && (s->side || s->in_data || s->in_note) &&
	    s->text.len + event->text.len <= XML_LONGEST)
		buf_addslice(&s->text, event->text);
	return s->refused ? -1 : 0;
}

int
xliff_scan(struct slice text, struct xliff_file *f, struct err *e)
{
	struct scan s = {.file = f, .document = text};
	struct err local = {0};
	int rc;

	*f = (struct xliff_file){0};
	if (xml_text_check(text, e) < 0)
		return -1;
	rc = xml_read(text, on_event, &s, &local);
	if (rc == 0 && s.has_target && !f->target_locale.len) {
		struct xml_event root = {.start = f->root.start, .end = f->root.end};
		fault(&s, "missing-locale", &root, "trgLang is missing: targets are there");
	}
	table_free(&s.data);
	table_free(&s.ids);
	free(s.items);
	buf_free(&s.text);
	buf_free(&s.notes);
	if (rc < 0 && s.refused)
		return err_set(e, "bad_catalog", "%s", s.refused);
	if (rc < 0 && e)
		*e = local;
	return rc;
}

void
xliff_scan_free(struct xliff_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].segments);
		free(f->v[i].codes);
	}
	free(f->v);
	free(f->faults);
	arena_free(&f->arena);
}
