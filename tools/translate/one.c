#include "tools/translate/translate.h"

/* One string record into all target locales. */

/* The member of translations for that locale, in whatever spelling, or empty. */
static struct slice
find_member(struct translator *t, struct slice translations, const char *locale)
{
	struct slice name, value, found = {"", 0};
	char canonical[LOCALE_MAX];

	buf_reset(&t->name);
	for (struct json_walk w = json_walk(translations); json_member(&w, &name, &value);) {
		buf_reset(&t->member);
		json_text(name, &t->member);
		if (!locale_canonical(buf_slice(&t->member), canonical) ||
		    strcmp(canonical, locale) != 0)
			continue;
		buf_reset(&t->name);
		buf_addslice(&t->name, buf_slice(&t->member));
		found = value;
	}
	if (!t->name.len)
		buf_adds(&t->name, locale);
	return found;
}

/* Notes one locale's outcome in the record's counts. */
static void
note_outcome(struct translator *t, size_t target, enum catalog_state state)
{
	if (state == CATALOG_MISSING)
		t->now.missing |= 1ULL << (target % 64);
}

/* Adds the record's counts to the run's; what it makes of the record. */
static enum verdict
settle(struct translator *t, const struct recalled *now)
{
	for (size_t i = 0; i < t->n && !t->asking; i++) {
		t->targets[i].texts++;
		t->targets[i].missing += now->missing >> i & 1;
	}
	return now->missing ? VERDICT_PARTIAL : VERDICT_DONE;
}

/* How many characters there is room for: max_length, or context.max_length; 0: any. */
static size_t
max_length(struct slice record)
{
	struct slice context, number;
	long long n;
	bool there = json_get(record, "max_length", &number) ||
	    (json_get(record, "context", &context) && json_type(context) == JSON_OBJECT &&
		json_get(context, "max_length", &number));

	return there && json_long(number, &n) && n > 0 ? (size_t)n : 0;
}

static void
read_members(struct translator *t, struct slice record)
{
	t->now = (struct recalled){.missing = 0};
	json_get_text(record, "format", &t->format);
	json_get_text(record, "key", &t->key);
	json_get_text(record, "plural", &t->plural);
	json_get_text(record, "context", &t->context);
	t->max_length = max_length(record);
	t->mute = false;
}

/* ---- what helps an engine ---- */

static void
read_hints(struct translator *t, struct slice record, struct slice translations)
{
	struct slice name, value;

	json_get_text(record, "widget", &t->widget);
	if (!json_get_text(record, "description", &t->note))
		json_get_text(record, "comment", &t->note);
	json_get_text(record, "file", &t->file);
	if (!t->file.len || !slice_eq(buf_slice(&t->file), buf_slice(&t->last_file)))
		buf_reset(&t->before);
	t->nasked = 0;
	buf_reset(&t->others);
	buf_reset(&t->stale);
	json_open(&t->others, '{');
	json_open(&t->stale, '{');
	for (struct json_walk w = json_walk(translations); json_member(&w, &name, &value);) {
		struct existing there = answer_existing(value);
		struct slice text;

		if (there.state < CATALOG_TRANSLATED || there.stale ||
		    !json_get(value, "value", &text))
			continue;
		buf_reset(&t->name);
		json_text(name, &t->name);
		json_add_raw(&t->others, t->name.ptr ? t->name.ptr : "", text);
	}
}

/* The gaps of the record that was read get what was found for its other locales. */
static void
keep_hints(struct translator *t)
{
	json_close(&t->others, '}');
	json_close(&t->stale, '}');
	for (size_t i = 0; i < t->nasked; i++) {
		struct gap *gap = &t->gaps.v[t->asked[i]];

		if (t->others.len > gap->others.len && t->others.len > 2)
			gaps_keep(&t->gaps, &gap->others, buf_slice(&t->others));
		if (t->stale.len > gap->stale.len && t->stale.len > 2)
			gaps_keep(&t->gaps, &gap->stale, buf_slice(&t->stale));
	}
	buf_reset(&t->last_file);
	buf_addslice(&t->last_file, buf_slice(&t->file));
	buf_reset(&t->before);
	if (t->value.len <= 300)
		buf_addslice(&t->before, buf_slice(&t->value));
}

/* ---- the record ---- */

/* Reads the record's message; it is then in t->source and is the query. */
static int
read_message(struct translator *t, struct err *e)
{
	struct slice text = buf_slice(&t->value);
	int dialect = message_dialect_of(buf_slice(&t->format));

	arena_reset(&t->proposer.arena);
	if (dialect < 0)
		return err_set(e, "bad_format",
		    "unknown message format, '%.*s': icu, arb, printf, "
		    "i18next or plain",
		    (int)(t->format.len > 40 ? 40 : t->format.len), t->format.ptr);
	if (query_read(&t->proposer.query, text, (unsigned)dialect, &t->proposer.arena, e) < 0)
		return -1;
	t->source = t->proposer.query.m;
	return 0;
}

/*
 * Whether the answer depends on nothing but the text: then its name for the
 * recall is made.
 */
static bool
recallable(struct translator *t, bool fresh, struct buf *name)
{
	buf_reset(name);
	if (!fresh || t->asking)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (project_find(t->project, i, buf_slice(&t->key)))
			return false;
	buf_addslice(name, buf_slice(&t->format));
	buf_addf(name, "%c%zu %zu", '\0', t->max_length, t->context.len);
	buf_addslice(name, buf_slice(&t->context));
	buf_addc(name, '\0');
	buf_addslice(name, buf_slice(&t->plural));
	buf_addc(name, '\0');
	buf_addslice(name, buf_slice(&t->value));
	return true;
}

/* All locales of a record that says nothing yet. */
static void
answer_all(struct translator *t)
{
	const struct existing nothing = {.object = {"", 0}, .state = CATALOG_MISSING};

	buf_reset(&t->all);
	json_open(&t->all, '{');
	for (size_t i = 0; i < t->n; i++) {
		translate_into(t, i);
		note_outcome(t, i, t->answer.state);
		json_name(&t->all, t->memories[i].locale);
		answer_write(&t->answer, &nothing, &t->all);
	}
	json_close(&t->all, '}');
}

/* A text that stands where an object belongs is not ours to replace. */
static int
check_translations(struct translator *t, struct slice translations, struct err *e)
{
	if (json_type(translations) != JSON_OBJECT)
		return err_set(e, "bad_record", "'translations' is no object");
	for (size_t i = 0; i < t->n; i++) {
		struct slice member = find_member(t, translations, t->memories[i].locale);

		if (member.len && json_type(member) != JSON_OBJECT &&
		    json_type(member) != JSON_NULL)
			return err_set(e, "bad_record",
			    "'translations.%s' is no object: write {\"value\":\"…\"}", t->name.ptr);
	}
	return 0;
}

/* Each locale of a record that has translations. */
static void
answer_each(struct translator *t, struct slice translations, set_fn *set, void *state)
{
	struct slice old;

	for (size_t i = 0; i < t->n; i++) {
		struct existing there = answer_existing(find_member(t, translations,
		    t->memories[i].locale));

		if (!answer_needed(&there, t->settings->force)) {
			note_outcome(t, i, there.state);
			continue;
		}
		/* What is there stays, unless a person's word is found: nothing is paid for. */
		t->mute = !t->settings->force && there.state != CATALOG_MISSING &&
		    !(there.stale && there.state == CATALOG_DRAFT);
		if (t->asking && t->engine && there.stale && json_get(there.object, "value", &old))
			json_add_raw(&t->stale, t->memories[i].locale, old);
		translate_into(t, i);
		t->mute = false;
		bool ours = answer_replaces(&t->answer, &there, t->settings->force);
		note_outcome(t, i, ours ? t->answer.state : there.state);
		if (!ours)
			continue;
		buf_reset(&t->member);
		answer_write(&t->answer, &there, &t->member);
		set(state, (const char *[]){"translations", t->name.ptr}, 2, buf_slice(&t->member));
	}
}

enum verdict
translate_record(struct translator *t, struct slice record, set_fn *set, void *state, struct err *e)
{
	static const char *const path[] = {"translations"};
	struct slice translations = {"", 0};
	const struct recalled *before;

	if (!json_get_text(record, "value", &t->value)) {
		err_set(e, "bad_record", "a string record needs a 'value' that is text");
		return VERDICT_FAILED;
	}
	read_members(t, record);
	bool fresh = !json_get(record, path[0], &translations) ||
	    json_type(translations) == JSON_NULL;
	if (!fresh && check_translations(t, translations, e) < 0)
		return VERDICT_FAILED;
	bool alike = recallable(t, fresh, &t->name);
	before = alike ? recall_get(t->recall, buf_slice(&t->name)) : NULL;
	if (before) {
		set(state, path, 1, before->answer);
		return settle(t, before);
	}
	if (read_message(t, e) < 0)
		return VERDICT_FAILED;
	if (!t->n)
		return VERDICT_DONE;
	bool hints = t->asking && t->engine;
	if (hints)
		read_hints(t, record, translations);
	if (fresh)
		answer_all(t);
	else
		answer_each(t, translations, set, state);
	if (hints)
		keep_hints(t);
	if (!fresh)
		return settle(t, &t->now);
	set(state, path, 1, buf_slice(&t->all));
	t->now.answer = buf_slice(&t->all);
	if (alike)
		recall_put(t->recall, buf_slice(&t->name), t->now);
	return settle(t, &t->now);
}

void
report(const struct translator *t)
{
	struct buf line = {0};
	bool first = true;

	for (size_t i = 0; i < t->n; i++) {
		const struct target *goal = &t->targets[i];

		if (!goal->missing)
			continue;
		buf_addf(&line, "%s%s %zu of %zu", first ? "" : ", ", t->memories[i].locale,
		    goal->missing, goal->texts);
		first = false;
	}
	if (!first)
		note("without a translation: %s: %s%s", line.ptr,
		    t->engine ? "each says why in its hint" : translate_advice(t),
		    !t->engine && t->settings->engine == ENGINE_AUTO
			? "; --engine=model or deepl asks for drafts" : "");
	buf_free(&line);
}
