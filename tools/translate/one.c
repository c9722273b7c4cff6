#include "tools/translate/translate.h"

#include "tools/translate/fold.h"
#include "tools/translate/pseudo.h"

#include <ctype.h>

/* One string record into all target locales. */

/* ---- where a translation comes from ---- */

static void
add_source(struct translator *t, size_t target, const struct match *m)
{
	static const char *const tiers[TIERS] = {[TIER_GLOSSARY] = "glossary:",
	    [TIER_PROJECT] = "project:", [TIER_MEMORY] = "memory:", [TIER_SYSTEM] = "system:",
	    [TIER_SEED] = "seed", [TIER_ENGINE] = ""};
	static const char *const kinds[] = {NULL, "exact", "folded", "fuzzy"};
	struct answer *a = &t->answer;

	buf_adds(&a->source, tiers[m->tier]);
	if (m->tier == TIER_ENGINE)
		buf_adds(&a->source, t->targets[target].tag);
	else if (m->tier != TIER_SEED)
		buf_adds(&a->source, m->file);
	a->engine = m->tier == TIER_ENGINE ? "apertium" : "rules";
	a->match = m->tier == TIER_ENGINE ? NULL : kinds[m->kind];
	a->score = m->kind == MATCH_FUZZY ? m->score : 0;
	if (!m->nalternatives)
		return;
	json_open(&a->alternatives, '[');
	for (size_t i = 0; i < m->nalternatives; i++)
		json_put(&a->alternatives, m->alternatives[i]);
	json_close(&a->alternatives, ']');
}

/* Isolates (U+2068 … U+2069) around placeholders, so that they read from left to right. */
static void
isolate(struct translator *t, struct buf *value)
{
	static const char first[] = "\u2068", pop[] = "\u2069";
	struct slice copy = {arena_copy(&t->proposer.arena, value->ptr, value->len), value->len};
	struct message m;

	if (message_parse(copy, t->source.dialect, &t->proposer.arena, &m, NULL) < 0)
		return;
	for (size_t i = m.n; i-- > 0;) {
		const struct message_node *node = &m.nodes[i];

		if (node->type != MESSAGE_PLACEHOLDER ||
		    (node->start >= 3 && memcmp(copy.ptr + node->start - 3, first, 3) == 0))
			continue;
		buf_splice(value, node->end, 0, slice(pop));
		buf_splice(value, node->start, 0, slice(first));
	}
}

/* ---- one locale ---- */

static void
add_pseudo(struct translator *t, size_t target, const struct message *m, struct buf *out)
{
	bool bidi = strcmp(t->memories[target].locale, "ar-XB") == 0 ||
	    (t->targets[target].rtl && t->settings->engine == ENGINE_PSEUDO);

	if (bidi)
		pseudo_bidi(m, out);
	else
		pseudo_accented(m, &t->proposer.arena, out);
}

static void
answer_pseudo(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	struct message plural;

	add_pseudo(t, target, &t->source, &a->value);
	if (t->plural.len && message_parse(buf_slice(&t->plural), t->source.dialect,
				 &t->proposer.arena, &plural, NULL) == 0)
		add_pseudo(t, target, &plural, &a->plural);
	/* No person's word for a real locale, from which it must not come back as one. */
	a->state = pseudo_locale(t->memories[target].locale) ? CATALOG_TRANSLATED : CATALOG_DRAFT;
	a->engine = "pseudo";
	buf_adds(&a->source, "pseudo");
}

/*
 * The project's catalogue under the record's own key. With the source changed
 * the old translation is kept as one that needs review.
 */
static bool
answer_by_key(struct translator *t, size_t target)
{
	const struct project_entry *p = project_find(t->project, target, buf_slice(&t->key));
	struct answer *a = &t->answer;
	struct message_faults faults = {0};
	struct message m;

	if (!p || message_parse(p->target, p->dialect, &t->proposer.arena, &m, NULL) < 0 ||
	    !message_convert(&m, t->source.dialect, &a->value)) {
		/* Texts without anything special are the same in every dialect. */
		if (!p || !message_is_plain(&m) || !message_is_plain(&t->source))
			return false;
		buf_addslice(&a->value, p->target);
	}
	message_verify(t->source.text, buf_slice(&a->value), t->source.dialect,
	    slice(t->memories[target].locale), &t->proposer.arena, &faults);
	if (faults.serious) {
		buf_reset(&a->value);
		return false;
	}
	struct buf source = {0};
	bool read = message_parse(p->source, p->dialect, &t->proposer.arena, &m, NULL) == 0 &&
	    message_convert(&m, t->source.dialect, &source);
	bool same = slice_eq(read ? buf_slice(&source) : p->source, t->source.text);
	buf_free(&source);
	a->stale = p->stale || !same;
	a->state = a->stale ? CATALOG_FUZZY : p->state;
	a->match = "key";
	buf_addf(&a->source, "project:%s", p->file);
	if (a->stale)
		buf_adds(&a->hint, "the source changed since this was translated");
	else if (slice_eq(buf_slice(&a->value), t->source.text))
		buf_adds(&a->hint, "the same as the source");
	return true;
}

static void
check_glossary(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	struct slice term, wanted;

	if (a->state < CATALOG_TRANSLATED || !glossary_breach(t->glossary, target, t->source.text,
						buf_slice(&a->value), &term, &wanted))
		return;
	a->state = CATALOG_FUZZY;
	buf_reset(&a->hint);
	buf_addf(&a->hint, "the glossary has '%.*s' for '%.*s'", (int)wanted.len, wanted.ptr,
	    (int)term.len, term.ptr);
}

/* What would help where nothing is found. */
static const char *
advice(const struct translator *t)
{
	const struct opt_list *memory = &t->settings->memory;

	for (size_t i = 0; i < memory->n; i++)
		if (strcmp(memory->v[i], "system") == 0)
			return "add --memory=FILE or --glossary=FILE";
	return "add --memory=FILE, --memory=system or --glossary=FILE";
}

static void
answer_missing(struct translator *t)
{
	struct answer *a = &t->answer;
	const struct proposal *p = &t->proposal;

	if (p->rejected.len) {
		buf_addslice(&a->rejected, buf_slice(&p->rejected));
		buf_adds(&a->reason, p->reason);
		buf_adds(&a->hint, "what was found does not fit the source: see reason");
	} else if (*p->reason) {
		buf_addf(&a->hint, "%s: add one with --memory=FILE", p->reason);
	} else {
		buf_addf(&a->hint, "no memory has this text: %s", advice(t));
	}
}

/* A text without a letter ("100 %", "{a}: {b}", "") is the same everywhere. */
static bool
has_words(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct slice bytes = message_bytes(m, &m->nodes[i]);

		if (m->nodes[i].type >= MESSAGE_PLURAL && m->nodes[i].type <= MESSAGE_SELECT)
			return true;
		for (size_t k = 0; m->nodes[i].type == MESSAGE_TEXT && k < bytes.len; k++)
			if (isalpha((unsigned char)bytes.ptr[k]) ||
			    (unsigned char)bytes.ptr[k] >= 0x80)
				return true;
	}
	return false;
}

static void
answer_unchanged(struct translator *t)
{
	buf_addslice(&t->answer.value, t->source.text);
	buf_adds(&t->answer.source, "unchanged");
	t->answer.state = CATALOG_TRANSLATED;
}

/* keyed: the answer is a draft or stale, and gives way to a person's word only. */
static void
answer_from_memory(struct translator *t, size_t target, bool keyed)
{
	struct answer *a = &t->answer;
	struct proposal *p = &t->proposal;

	propose(&t->proposer, &t->memories[target], p);
	bool sure = p->found && p->match.kind != MATCH_FUZZY && !p->match.doubtful;
	if (keyed && !sure)
		return;
	answer_reset(a);
	if (!p->found) {
		answer_missing(t);
		return;
	}
	buf_addslice(&a->value, buf_slice(&p->text));
	a->state = sure ? CATALOG_TRANSLATED : CATALOG_FUZZY;
	add_source(t, target, &p->match);
	if (a->state == CATALOG_FUZZY && p->match.kind != MATCH_FUZZY &&
	    p->match.tier != TIER_ENGINE)
		buf_adds(&a->hint, p->match.nalternatives
			? "catalogues disagree: see alternatives"
			: "not certain: a person should look");
}

/* The record's plural proposal, where memory has it as well. */
static void
answer_plural(struct translator *t, size_t target)
{
	struct proposer *p = &t->proposer;

	if (!t->plural.len || query_read(&p->query, buf_slice(&t->plural), t->source.dialect,
				  &p->arena, NULL) < 0)
		return;
	propose(p, &t->memories[target], &t->proposal);
	if (t->proposal.found)
		buf_addslice(&t->answer.plural, buf_slice(&t->proposal.text));
	if (t->proposal.found && t->targets[target].rtl && t->settings->isolate)
		isolate(t, &t->answer.plural);
	query_read(&p->query, buf_slice(&t->value), t->source.dialect, &p->arena, NULL);
}

static void
ask_engine(const struct message *m, void *state)
{
	struct apertium *a = state;

	if (a)
		apertium_ask(a, m);
}

static void
answer_for(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	struct target *goal = &t->targets[target];

	answer_reset(a);
	if (pseudo_locale(t->memories[target].locale) || t->settings->engine == ENGINE_PSEUDO) {
		answer_pseudo(t, target);
		return;
	}
	bool keyed = answer_by_key(t, target);
	t->proposer.miss = t->asking && goal->apertium && !keyed ? ask_engine : NULL;
	t->proposer.miss_state = goal->apertium;
	if (!keyed && !has_words(&t->source))
		answer_unchanged(t);
	else if (a->state < CATALOG_TRANSLATED)
		answer_from_memory(t, target, keyed);
	answer_plural(t, target);
	check_glossary(t, target);
	if (a->state > CATALOG_MISSING && goal->rtl && t->settings->isolate)
		isolate(t, &a->value);
}

/* ---- the record ---- */

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

static void
read_members(struct translator *t, struct slice record)
{
	t->now = (struct recalled){.missing = 0};
	json_get_text(record, "format", &t->format);
	json_get_text(record, "key", &t->key);
	json_get_text(record, "plural", &t->plural);
}

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
		answer_for(t, i);
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
	for (size_t i = 0; i < t->n; i++) {
		struct existing there = answer_existing(find_member(t, translations,
		    t->memories[i].locale));

		if (!answer_needed(&there, t->settings->force)) {
			note_outcome(t, i, there.state);
			continue;
		}
		answer_for(t, i);
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
	if (!fresh) {
		answer_each(t, translations, set, state);
		return settle(t, &t->now);
	}
	answer_all(t);
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
		note("without a translation: %s: %s", line.ptr, advice(t));
	buf_free(&line);
}
