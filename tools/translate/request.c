#include "tools/translate/engine_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"

#include <stdio.h>
#include <stdlib.h>

/* A batch as a prompt, and the reply's texts. */

enum { PROMPT_SIZE = 1 << 20, OTHERS = 2, KNOWN = 8 };

enum template { TEMPLATE_SYSTEM, TEMPLATE_ITEM, TEMPLATE_REPAIR, TEMPLATE_BACK, TEMPLATES };

struct request {
	struct buf templates[TEMPLATES], locales;
	struct buf scratch, batch; /* of one request */
};

/* What the reply must be: every provider can be held to it, and kandil-ai checks it. */
static const char schema[] =
    "{\"type\":\"object\",\"properties\":{\"translations\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"value\":"
    "{\"type\":\"string\"}},\"required\":[\"id\",\"value\"],\"additionalProperties\":false}}},"
    "\"required\":[\"translations\"],\"additionalProperties\":false}";

/*
 * What is asked, and how much of it is paid for with each batch, is the user's
 * business: a project that was cloned may bring strings, no instructions.
 */
static int
read_data(const char *rel, struct buf *out, struct err *e)
{
	char *name = path_trusted(rel);
	int status = name ? path_read(name, PROMPT_SIZE, out, e)
			  : err_set(e, "cannot_read", "cannot read '%s': is kandil installed "
				"as a whole?", rel);

	free(name);
	return status;
}

struct request *
request_open(struct err *e)
{
	static const char *const names[TEMPLATES] = {"system", "item", "repair", "back"};
	struct request *r = xcalloc(1, sizeof(*r));
	int status = read_data("translate/prompts/locales.tsv", &r->locales, e);

	for (size_t i = 0; status == 0 && i < TEMPLATES; i++) {
		struct buf rel = {0};
		buf_addf(&rel, "translate/prompts/%s.txt", names[i]);
		status = read_data(rel.ptr, &r->templates[i], e);
		buf_free(&rel);
	}
	if (status == 0)
		return r;
	request_close(r);
	return NULL;
}

void
request_close(struct request *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < TEMPLATES; i++)
		buf_free(&r->templates[i]);
	buf_free(&r->locales);
	buf_free(&r->scratch);
	buf_free(&r->batch);
	free(r);
}

/* ---- languages ---- */

struct language {
	struct slice name, family, note;
};

static struct slice
column(struct slice *line)
{
	const char *tab = line->len ? memchr(line->ptr, '\t', line->len) : NULL;
	struct slice head = {line->ptr, tab ? (size_t)(tab - line->ptr) : line->len};
	size_t used = head.len + (tab != NULL);

	line->ptr += used;
	line->len -= used;
	return head;
}

/* The line of the locale, or of its nearest parent; a name is always there. */
static struct language
language(const struct request *r, const char *locale)
{
	char name[LOCALE_MAX];

	snprintf(name, sizeof(name), "%s", locale);
	do {
		struct slice rest = buf_slice(&r->locales), line;

		while (slice_line(&rest, &line))
			if (line.len && *line.ptr != '#' && slice_is(column(&line), name)) {
				struct language l = {.name = column(&line)};
				l.family = column(&line);
				l.note = column(&line);
				return l;
			}
	} while (locale_parent(name));
	return (struct language){.name = slice(locale), .family = {"", 0}, .note = {"", 0}};
}

/* "French (fr)": the name helps the model, the code leaves no doubt. */
static void
put_language(const struct request *r, const char *locale, struct buf *out)
{
	struct language l = language(r, locale);

	buf_addslice(out, l.name);
	if (!slice_is(l.name, locale))
		buf_addf(out, " (%s)", locale);
}

/* ---- templates ---- */

struct filling {
	const char *name;
	struct slice value;
};

/* {{name}} in the template becomes its value. What is put in is not looked through. */
static void
fill(struct slice template, const struct filling *fillings, struct buf *out)
{
	for (size_t at = 0; at < template.len;) {
		struct slice rest = {template.ptr + at, template.len - at};
		size_t used = 0;

		for (const struct filling *f = fillings; !used && f->name; f++) {
			struct buf mark = {0};
			buf_addf(&mark, "{{%s}}", f->name);
			if (slice_starts(rest, mark.ptr)) {
				buf_addslice(out, f->value);
				used = mark.len;
			}
			buf_free(&mark);
		}
		if (!used)
			buf_addc(out, *rest.ptr);
		at += used ? used : 1;
	}
}

/* ---- the batch as JSON ---- */

static void
add_if(struct buf *out, const char *name, struct slice text)
{
	if (text.len)
		json_add(out, name, text);
}

/* Up to two finished translations, those of the same family first. */
static void
add_others(struct request *r, const struct engine *e, const struct work *w, struct buf *out)
{
	struct language mine = language(r, e->settings.targets[w->target].locale);
	size_t n = 0;

	if (!w->gap->others.len)
		return;
	for (int pass = 0; pass < 2; pass++) {
		struct slice key, value;

		for (struct json_walk walk = json_walk(w->gap->others);
		     n < OTHERS && json_member(&walk, &key, &value);) {
			buf_reset(&r->scratch);
			json_text(key, &r->scratch);
			struct language l = language(r, r->scratch.ptr ? r->scratch.ptr : "");
			if ((l.family.len && slice_eq(l.family, mine.family)) != (pass == 0))
				continue;
			if (n++ == 0) {
				json_name(out, "translations");
				json_open(out, '{');
			}
			json_name_slice(out, buf_slice(&r->scratch));
			json_put_raw(out, value);
		}
	}
	if (n)
		json_close(out, '}');
}

static void
add_stale(const struct engine *e, const struct work *w, struct buf *out)
{
	struct slice earlier;

	if (w->gap->stale.len &&
	    json_get(w->gap->stale, e->settings.targets[w->target].locale, &earlier))
		json_add_raw(out, "earlier", earlier);
}

static void
add_violations(const struct work *w, size_t piece, struct buf *out)
{
	if (!w->attempt)
		return;
	json_add(out, "refused", w->answers[piece].ptr ? w->answers[piece] : (struct slice){"", 0});
	json_add(out, "violations", w->violations);
}

/* One text: what it is, then what explains it. Back, it must explain itself. */
static void
add_piece(struct request *r, const struct engine *e, const struct batch *b, const struct work *w,
    size_t piece, size_t id, struct buf *out)
{
	const struct message *m = batch_text(b, w, piece);
	const struct gap *gap = w->gap;
	struct buf text = {0};

	json_open(out, '{');
	buf_addf(&text, "%zu", id);
	json_add(out, "id", buf_slice(&text));
	buf_reset(&text);
	mask_put(m, MASK_TOKENS, &text);
	json_add(out, "text", buf_slice(&text));
	buf_reset(&text);
	mask_tokens(m, &text);
	if (text.len > 2)
		json_add_raw(out, "placeholders", buf_slice(&text));
	buf_free(&text);
	if (!b->back) {
		add_if(out, "when", w->pieces[piece].when);
		add_if(out, "key", gap->key);
		add_if(out, "widget", gap->widget);
		add_if(out, "file", gap->file);
		add_if(out, "context", gap->context);
		add_if(out, "note", gap->note);
		add_if(out, "after", gap->before);
		if (gap->max_length)
			json_add_long(out, "max_length", (long long)gap->max_length);
		add_others(r, e, w, out);
		add_stale(e, w, out);
		add_violations(w, piece, out);
	}
	json_close(out, '}');
}

static void
add_glossary(const struct engine *e, const struct batch *b, struct buf *out)
{
	struct table seen = {0};
	bool any = false;

	for (size_t i = 0; i < b->n; i++) {
		struct glossary_walk walk = {.at = 0};
		struct slice term, wanted;

		while (glossary_next(e->settings.glossary, b->target, b->v[i]->m.text, &walk, &term,
		    &wanted)) {
			bool added;

			table_put(&seen, term, &added);
			if (!added)
				continue;
			if (!any) {
				json_name(out, "glossary");
				json_open(out, '{');
			}
			any = true;
			json_name_slice(out, term);
			json_put(out, wanted);
		}
	}
	if (any)
		json_close(out, '}');
	table_free(&seen);
}

/* How the files of the batch say other things already. */
static void
add_known(const struct engine *e, const struct batch *b, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < e->gaps->known_n && n < KNOWN; i++) {
		const struct gap_known *k = &e->gaps->known[i];

		if (k->target != b->target || (!slice_eq(k->file, b->v[0]->gap->file) &&
						  !slice_eq(k->file, b->v[b->n - 1]->gap->file)))
			continue;
		if (n++ == 0) {
			json_name(out, "known");
			json_open(out, '{');
		}
		json_name_slice(out, k->text);
		json_put(out, k->value);
	}
	if (n)
		json_close(out, '}');
}

static void
put_batch(struct request *r, const struct engine *e, const struct batch *b, struct buf *out)
{
	size_t id = 0;

	json_open(out, '{');
	if (!b->back) {
		add_glossary(e, b, out);
		add_known(e, b, out);
	}
	json_name(out, "texts");
	json_open(out, '[');
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->v[i]->n; k++)
			add_piece(r, e, b, b->v[i], k, ++id, out);
	json_close(out, ']');
	json_close(out, '}');
}

void
request_build(struct request *r, const struct engine *e, const struct batch *b, struct buf *out)
{
	static const char *const forms[] = {"", "Address the reader formally.\n",
	    "Address the reader informally.\n"};
	const char *target = e->settings.targets[b->target].locale;
	struct buf from = {0}, to = {0}, notes = {0}, text = {0};
	struct language l = language(r, target);

	put_language(r, b->back ? target : e->settings.from, &from);
	put_language(r, b->back ? e->settings.from : target, &to);
	if (l.note.len && !b->back)
		buf_addf(&notes, "%.*s\n", (int)l.note.len, l.note.ptr);
	buf_adds(&notes, b->back ? "" : forms[e->settings.formality]);
	buf_reset(&r->batch);
	put_batch(r, e, b, &r->batch);
	struct filling fillings[] = {{"from", buf_slice(&from)}, {"to", buf_slice(&to)},
	    {"notes", buf_slice(&notes)}, {"batch", buf_slice(&r->batch)}, {NULL, {"", 0}}};
	json_open(out, '{');
	buf_addf(&text, "%lu", b->id);
	json_add(out, "id", buf_slice(&text));
	buf_reset(&text);
	fill(buf_slice(&r->templates[TEMPLATE_SYSTEM]), fillings, &text);
	json_add(out, "system", buf_slice(&text));
	buf_reset(&text);
	fill(buf_slice(&r->templates[b->back ? TEMPLATE_BACK
			: b->v[0]->attempt   ? TEMPLATE_REPAIR
					     : TEMPLATE_ITEM]), fillings, &text);
	json_add(out, "prompt", buf_slice(&text));
	json_add_raw(out, "schema", slice(schema));
	json_close(out, '}');
	buf_addc(out, '\n');
	buf_free(&from);
	buf_free(&to);
	buf_free(&notes);
	buf_free(&text);
}

/* ---- the reply ---- */

bool
request_read(struct engine *e, struct batch *b, struct slice reply)
{
	struct slice list = reply, one;
	struct buf text = {0};
	struct slice **places = xcalloc(b->pieces + 1, sizeof(struct slice *));
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->v[i]->n; k++) {
			places[n] = batch_answer(b, b->v[i], k);
			*places[n++] = (struct slice){NULL, 0};
		}
	if (json_type(reply) == JSON_OBJECT && !json_get(reply, "translations", &list))
		list = reply;
	bool ok = json_type(list) == JSON_ARRAY;
	for (struct json_walk w = json_walk(list); ok && json_element(&w, &one);) {
		char *end = NULL;

		if (json_type(one) != JSON_OBJECT || !json_get_text(one, "id", &text) || !text.len)
			continue;
		unsigned long id = strtoul(text.ptr, &end, 10);
		/* The first word for an id stands; others were not asked for. */
		if (*end || !id || id > n || places[id - 1]->ptr ||
		    !json_get_text(one, "value", &text))
			continue;
		*places[id - 1] = engine_keep(e, buf_slice(&text));
	}
	buf_free(&text);
	free(places);
	return ok;
}
