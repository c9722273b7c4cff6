#include "tools/translate/engine_part.h"

#include "common/mem.h"
#include "tools/translate/remember.h"

#include <stdio.h>
#include <stdlib.h>

/* Batches: what is asked together, again, back, and what becomes of it. */

enum { ENGINE_TEXT = 20000 }; /* bytes of one text; longer ones are no interface's */
#define VERIFY_LEAST 0.5      /* likeness of what came back to the source */

struct slice
engine_keep(struct engine *e, struct slice text)
{
	return (struct slice){arena_copy(&e->arena, text.ptr ? text.ptr : "", text.len), text.len};
}

static struct draft_key
key_of(const struct work *w)
{
	return (struct draft_key){w->target, w->gap->dialect, w->gap->context, w->gap->text};
}

/* ---- outcomes ---- */

static void
give_up(struct engine *e, const struct work *w, const char *hint, struct slice rejected,
    struct slice reason)
{
	struct draft_key key = key_of(w);
	struct draft d = {.state = CATALOG_MISSING, .source = w->source, .hint = slice(hint),
	    .rejected = rejected, .reason = reason};

	drafts_put(e->drafts, &key, &d);
	/* A service says the same each time, and bills it; a model may do better. */
	if (!e->service.repairs)
		remember_add(e->memory, &key, &d);
}

/* A translation that may stand; hint: why a person must look, "" if nothing says so. */
static void
accept(struct engine *e, const struct work *w, const char *hint)
{
	struct draft_key key = key_of(w);
	struct draft d = {.state = *hint ? CATALOG_FUZZY : CATALOG_DRAFT, .value = w->value,
	    .source = w->source, .hint = slice(hint)};

	drafts_put(e->drafts, &key, &d);
	remember_add(e->memory, &key, &d);
}

/* The last word about a text that was sent back as often as may be. */
static void
reject(struct engine *e, struct work *w, const char *hint)
{
	if (w->spare) {
		w->answers = w->spare;
		engine_check(e, w);
		accept(e, w, w->violations.ptr);
	} else {
		give_up(e, w, hint, w->value, w->violations);
	}
}

static void
reject_batch(struct engine *e, const struct batch *b, const char *hint)
{
	for (size_t i = 0; i < b->n; i++) {
		reject(e, b->v[i], hint);
		e->lost++;
	}
}

/* ---- batches ---- */

static void
push(struct engine *e, struct batch *b)
{
	b->next = NULL;
	b->id = ++e->ids;
	b->failed = b->stop = b->split = false;
	*e->queue_end = b;
	e->queue_end = &b->next;
}

static void
push_works(struct engine *e, struct work **works, size_t n, bool back)
{
	struct batch *b = arena_alloc(&e->arena, sizeof(*b));

	*b = (struct batch){.target = works[0]->target, .n = n, .back = back};
	b->v = arena_alloc(&e->arena, n * sizeof(struct work *));
	memcpy(b->v, works, n * sizeof(struct work *));
	for (size_t i = 0; i < n; i++)
		b->pieces += works[i]->n;
	push(e, b);
}

static bool
read_parts(struct engine *e, struct work *w, struct err *err)
{
	w->parts = arena_alloc(&e->arena, (w->n + 1) * sizeof(*w->parts));
	w->made = arena_alloc(&e->arena, (w->n + 1) * sizeof(*w->made));
	w->answers = arena_alloc(&e->arena, (w->n + 1) * sizeof(*w->answers));
	w->backs = arena_alloc(&e->arena, (w->n + 1) * sizeof(*w->backs));
	memset(w->answers, 0, (w->n + 1) * sizeof(*w->answers));
	memset(w->backs, 0, (w->n + 1) * sizeof(*w->backs));
	for (size_t i = 0; i < w->n; i++)
		if (message_parse(w->pieces[i].text, w->m.dialect, &e->arena, &w->parts[i], err) < 0)
			return false;
	return true;
}

/* A gap and a locale; NULL when it cannot be asked, which is said. */
static struct work *
new_work(struct engine *e, const struct gap *gap, size_t target)
{
	struct work *w = arena_alloc(&e->arena, sizeof(*w));
	struct slice locale = slice(e->settings.targets[target].locale);
	struct err err = {.text = ""};

	*w = (struct work){.gap = gap, .target = target, .violations = {"", 0}, .source = {"", 0}};
	bool ok = gap->text.len <= ENGINE_TEXT ||
	    err_set(&err, "too_large", "more than %d bytes", ENGINE_TEXT) == 0;
	ok = ok && message_parse(gap->text, gap->dialect, &e->arena, &w->m, &err) == 0 &&
	    cases_split(&w->m, locale, &e->arena, &w->pieces, &w->n, &err) == 0 &&
	    read_parts(e, w, &err);
	if (!ok) {
		struct buf hint = {0};
		buf_addf(&hint, "not asked for, %s: translate it by hand", err.text);
		give_up(e, w, hint.ptr, (struct slice){"", 0}, (struct slice){"", 0});
		buf_free(&hint);
		return NULL;
	}
	return w;
}

/* Cuts one locale's works into batches, where files end if they are big enough. */
static void
cut(struct engine *e, struct work **works, size_t n)
{
	const struct service *s = &e->service;
	size_t from = 0, pieces = 0, bytes = 0;

	for (size_t i = 0; i < n; i++) {
		const struct work *w = works[i];
		bool other = i && !slice_eq(w->gap->file, works[i - 1]->gap->file);
		size_t more = 0;

		for (size_t k = 0; k < w->n; k++)
			more += w->pieces[k].text.len;
		if (i > from && (pieces + w->n > s->pieces || bytes + more > s->bytes ||
				    (other && pieces >= s->least))) {
			push_works(e, works + from, i - from, false);
			from = i;
			pieces = bytes = 0;
		}
		pieces += w->n;
		bytes += more;
	}
	if (n > from)
		push_works(e, works + from, n - from, false);
}

static void
plan(struct engine *e)
{
	struct work **works = xcalloc(e->gaps->n + 1, sizeof(struct work *));

	for (size_t t = 0; t < e->settings.n; t++) {
		size_t n = 0;

		for (size_t i = 0; i < e->gaps->n; i++) {
			const struct gap *gap = &e->gaps->v[i];
			struct work *w;

			if (!(gap->targets >> t & 1) || !(w = new_work(e, gap, t)))
				continue;
			works[n++] = w;
			e->texts++;
			for (size_t k = 0; k < w->n; k++)
				e->characters += utf8_count(w->pieces[k].text.ptr,
				    w->pieces[k].text.len);
		}
		cut(e, works, n);
	}
	free(works);
}

/* ---- what came ---- */

static void
split(struct engine *e, const struct batch *b)
{
	push_works(e, b->v, b->n / 2, b->back);
	push_works(e, b->v + b->n / 2, b->n - b->n / 2, b->back);
}

static void
take_back(struct engine *e, const struct batch *b)
{
	struct buf said = {0}, hint = {0};

	for (size_t i = 0; i < b->n; i++) {
		const struct work *w = b->v[i];

		buf_reset(&said);
		buf_reset(&hint);
		if (b->failed) {
			buf_addf(&hint, "could not be translated back: %s", b->text);
		} else if (engine_compare(e, w, &said) < VERIFY_LEAST) {
			buf_adds(&hint, "back: ");
			buf_addslice(&hint, buf_slice(&said));
		} else if (w->violations.len) {
			buf_addslice(&hint, w->violations);
		}
		accept(e, w, hint.ptr ? hint.ptr : "");
	}
	buf_free(&said);
	buf_free(&hint);
}

/* The next answers take the place of these, which may turn out to be the best. */
static struct slice *
copy_answers(struct engine *e, const struct work *w)
{
	struct slice *copy = arena_alloc(&e->arena, (w->n + 1) * sizeof(*copy));

	memcpy(copy, w->answers, (w->n + 1) * sizeof(*copy));
	return copy;
}

static bool
has_answer(const struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->answers[i].ptr)
			return true;
	return false;
}

static void
take_answers(struct engine *e, const struct batch *b)
{
	struct work **again = xcalloc(b->n + 1, sizeof(struct work *));
	struct work **back = xcalloc(b->n + 1, sizeof(struct work *));
	size_t nagain = 0, nback = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct work *w = b->v[i];

		w->source = b->source;
		e->answered += has_answer(w);
		enum checked c = engine_check(e, w);
		if (c == CHECKED_DOUBTFUL)
			w->spare = copy_answers(e, w);
		if (c != CHECKED_GOOD && w->attempt < e->service.repairs && !e->stopped) {
			w->attempt++;
			again[nagain++] = w;
		} else if (c == CHECKED_BAD) {
			reject(e, w, "what the engine said does not fit the source: see reason");
		} else if (e->settings.verify) {
			back[nback++] = w;
		} else {
			accept(e, w, w->violations.ptr);
		}
	}
	if (nagain)
		push_works(e, again, nagain, false);
	if (nback)
		push_works(e, back, nback, true);
	free(again);
	free(back);
}

/* Nothing more is asked: why, once. */
static void
stop(struct engine *e, const char *why)
{
	if (!e->stopped)
		e->stopped = xstrdup(why);
}

static void
fail(struct engine *e, struct batch *b, const char *why)
{
	struct buf hint = {0};

	b->failed = true;
	snprintf(b->text, sizeof(b->text), "%s", why);
	free(e->failure);
	e->failure = xstrdup(why);
	buf_addf(&hint, "%s could not be asked: %s", e->service.name, why);
	if (b->back)
		take_back(e, b);
	else
		reject_batch(e, b, hint.ptr);
	buf_free(&hint);
}

static void
finish(struct engine *e, struct batch *b)
{
	if (b->failed && b->stop)
		stop(e, b->text);
	if (b->failed && b->split && b->n > 1 && !e->stopped) {
		split(e, b);
	} else if (b->failed) {
		char why[sizeof(b->text)];

		memcpy(why, b->text, sizeof(why));
		fail(e, b, why);
	} else if (b->back) {
		take_back(e, b);
	} else {
		take_answers(e, b);
	}
}

static struct batch *
pop(struct engine *e)
{
	struct batch *b = e->queue;

	e->queue = b->next;
	if (!e->queue)
		e->queue_end = &e->queue;
	return b;
}

/* Those that were sent, to be told apart from those that came back when it dies. */
struct flying {
	struct batch **v;
	size_t n, cap;
};

static void
land(struct flying *f, const struct batch *b)
{
	size_t i = 0;

	while (f->v[i] != b)
		i++;
	f->v[i] = f->v[--f->n];
}

static void
converse(struct engine *e)
{
	struct flying f = {0};
	struct err err = {.text = ""};

	while (e->queue || f.n) {
		while (e->queue && (e->stopped || f.n < e->service.in_flight)) {
			struct batch *b = pop(e);

			if (e->stopped) {
				fail(e, b, e->stopped);
				continue;
			}
			f.v = xgrow(f.v, f.n, &f.cap, sizeof(struct batch *));
			f.v[f.n++] = b;
			e->sent += b->n;
			e->service.send(e->service.state, b);
		}
		if (!f.n)
			continue;
		struct batch *done = e->service.next(e->service.state, &err);
		if (done) {
			land(&f, done);
			finish(e, done);
			continue;
		}
		stop(e, err.text);
		e->misused = strcmp(err.code, "bad_value") == 0;
		while (f.n)
			fail(e, f.v[--f.n], e->stopped);
	}
	free(f.v);
}

void
engine_run(struct engine *e, struct gaps *gaps)
{
	struct err err;

	arena_reset(&e->arena);
	e->queue = NULL;
	e->queue_end = &e->queue;
	if (drafts_full(e->drafts)) {
		drafts_clear(e->drafts);
		if (!e->settings.forget)
			remember_load(e->memory, e->drafts);
	}
	gaps_sort(gaps);
	e->gaps = gaps;
	plan(e);
	while (e->settings.dry_run && e->queue)
		reject_batch(e, pop(e), "not asked: --dry-run");
	converse(e);
	if (remember_flush(e->memory, &err) < 0)
		warn("%s", err.text);
}

/* ---- opening and closing ---- */

/* What is asked for besides the texts, by which remembered answers are told apart. */
static void
put_manner(const struct engine_settings *s, struct buf *out)
{
	static const char *const words[] = {"", "more", "less"};

	buf_adds(out, words[s->formality]);
	if (!s->deepl && s->model)
		buf_addf(out, " model=%s", s->model);
	for (size_t i = 0; s->deepl && s->deepl_glossary && i < s->deepl_glossary->n; i++)
		buf_addf(out, " glossary=%s", s->deepl_glossary->v[i]);
}

struct engine *
engine_open(const struct engine_settings *settings, struct err *err)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->settings = *settings;
	e->drafts = drafts_new();
	put_manner(settings, &e->manner);
	e->memory = xcalloc(1, sizeof(*e->memory));
	*e->memory = (struct remembrance){.engine = settings->deepl ? "deepl" : "model",
	    .manner = buf_slice(&e->manner), .from = settings->from,
	    .targets = settings->targets, .n = settings->n, .verified = settings->verify};
	if ((settings->deepl ? deepl_open(e, err) : model_open(e, err)) < 0) {
		engine_close(e);
		return NULL;
	}
	if (!settings->forget)
		remember_load(e->memory, e->drafts);
	return e;
}

struct drafts *
engine_drafts(struct engine *e)
{
	return e->drafts;
}

const char *
engine_name(const struct engine *e)
{
	return e->memory->engine;
}

/* Why it could not do its work: it had to stop, or never said a word. NULL: it could. */
static const char *
complaint(const struct engine *e)
{
	if (e->stopped || !e->sent || e->answered)
		return e->stopped;
	return e->failure ? e->failure : "it answers without any translation";
}

enum status
engine_close(struct engine *e)
{
	if (!e)
		return STATUS_OK;
	const char *why = complaint(e);
	size_t lost = e->stopped ? e->lost : e->texts;

	if (e->service.close)
		e->service.close(e->service.state);
	if (why)
		warn("%s could not be asked for %zu text%s: %s", e->service.name, lost,
		    lost == 1 ? "" : "s", why);
	else if (e->settings.dry_run)
		note("%s would be asked for %zu text%s, %zu characters in all", e->service.name,
		    e->texts, e->texts == 1 ? "" : "s", e->characters);
	enum status status = !why ? STATUS_OK : e->misused ? STATUS_USAGE : STATUS_FAILED;
	drafts_free(e->drafts);
	arena_free(&e->arena);
	buf_free(&e->manner);
	buf_free(&e->memory->lines);
	free(e->memory);
	free(e->stopped);
	free(e->failure);
	free(e);
	return status;
}
