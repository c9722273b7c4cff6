#include "tools/translate/translate.h"

#include "tools/translate/pseudo.h"

#include <ctype.h>

/* One message into one locale: who is asked, and in which order. */

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
isolate(struct translator *t, struct buf *value, unsigned dialect)
{
	static const char first[] = "\u2068", pop[] = "\u2069";
	struct slice copy = {arena_copy(&t->proposer.arena, value->ptr, value->len), value->len};
	struct message m;

	if (message_parse(copy, dialect, &t->proposer.arena, &m, NULL) < 0)
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

/* A proposal is ICU's, whatever the text is. */
static unsigned
plural_dialect(const struct translator *t)
{
	unsigned base = t->source.dialect & 15;

	return base == MESSAGE_ICU || base == MESSAGE_ARB ? t->source.dialect : MESSAGE_ICU;
}

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
	if (t->plural.len && message_parse(buf_slice(&t->plural), plural_dialect(t),
				 &t->proposer.arena, &plural, NULL) == 0)
		add_pseudo(t, target, &plural, &a->plural);
	/* No person's word for a real locale, from which it must not come back as one. */
	a->state = pseudo_locale(t->memories[target].locale) ? CATALOG_TRANSLATED : CATALOG_DRAFT;
	a->engine = "pseudo";
	buf_adds(&a->source, "pseudo");
}

/*
 * The project's catalogue under the record's own key. With the source changed
 * the old translation is kept as one that needs review; redraft: an engine
 * made it, and may make it again.
 */
static bool
answer_by_key(struct translator *t, size_t target, bool *redraft)
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
	*redraft = a->stale && p->state == CATALOG_DRAFT;
	a->state = a->stale ? CATALOG_FUZZY : p->state;
	a->match = "key";
	buf_addf(&a->source, "project:%s", p->file);
	if (a->stale)
		buf_adds(&a->hint, "the source changed since this was translated");
	else if (slice_eq(buf_slice(&a->value), t->source.text))
		buf_adds(&a->hint, "the same as the source");
	return true;
}

/* Too long for its place: whoever said it, a person must look. */
static void
check_length(struct translator *t)
{
	struct answer *a = &t->answer;

	if (a->state < CATALOG_DRAFT || !engine_too_long(buf_slice(&a->value), t->source.dialect,
					    t->max_length))
		return;
	a->state = CATALOG_FUZZY;
	buf_reset(&a->hint);
	buf_addf(&a->hint, "longer than %zu characters", t->max_length);
}

static void
check_glossary(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	struct slice term, wanted;
	bool certain = a->state >= CATALOG_TRANSLATED || (t->engine && a->state == CATALOG_DRAFT);

	if (!certain || !glossary_breach(t->glossary, target, t->source.text,
						buf_slice(&a->value), &term, &wanted))
		return;
	a->state = CATALOG_FUZZY;
	buf_reset(&a->hint);
	buf_addf(&a->hint, "the glossary has '%.*s' for '%.*s'", (int)wanted.len, wanted.ptr,
	    (int)term.len, term.ptr);
}

const char *
translate_advice(const struct translator *t)
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
		buf_addf(&a->hint, "%s: %s",
		    t->settings->engine == ENGINE_APERTIUM
			? "no memory has this text, and apertium gave no sound translation"
			: "no memory has this text",
		    translate_advice(t));
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

/* ---- engines ---- */

/*
 * What the engine said of a text. An answer of an earlier run counts where it
 * is still right: glossaries and lengths change.
 */
static const struct draft *
find_draft(struct translator *t, size_t target, struct slice text, unsigned dialect,
    size_t max_length)
{
	struct draft_key key = {target, dialect, buf_slice(&t->context), text};
	const struct draft *d = t->engine ? drafts_get(engine_drafts(t->engine), &key) : NULL;
	struct message_faults faults = {0};
	struct slice term, wanted;

	if (!d || !d->remembered)
		return d;
	struct slice said = d->state == CATALOG_MISSING ? d->rejected : d->value;
	message_verify(text, said, dialect, slice(t->memories[target].locale),
	    &t->proposer.arena, &faults);
	bool fits = !faults.serious && !engine_too_long(said, dialect, max_length);
	/* What was withheld then, and still would be, is not asked for again. */
	bool right = d->state == CATALOG_MISSING ? !fits : fits &&
	    (d->state == CATALOG_FUZZY || !glossary_breach(t->glossary, target, text, said, &term,
					      &wanted));
	return right ? d : NULL;
}

/* In the first pass: notes that the engine is to be asked. */
static void
ask_for(struct translator *t, size_t target, struct slice text, unsigned dialect)
{
	struct gap *gap = gaps_add(&t->gaps, &(struct gap){.text = text,
	    .context = buf_slice(&t->context), .dialect = dialect,
	    .key = buf_slice(&t->key), .file = buf_slice(&t->file),
	    .widget = buf_slice(&t->widget), .note = buf_slice(&t->note),
	    .before = buf_slice(&t->before), .max_length = t->max_length}, target);
	/* Its value and its plural proposal, at most; in all locales the same two. */
	size_t index = (size_t)(gap - t->gaps.v), i = 0;
	while (i < t->nasked && t->asked[i] != index)
		i++;
	if (i == t->nasked && i < sizeof(t->asked) / sizeof(*t->asked))
		t->asked[t->nasked++] = index;
}

/* Whether the engine has a draft; without one it is asked for in the first pass. */
static bool
answer_from_engine(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	const struct draft *d;

	if (!t->engine || t->mute)
		return false;
	d = find_draft(t, target, t->source.text, t->source.dialect, t->max_length);
	if (!d && t->asking)
		ask_for(t, target, t->source.text, t->source.dialect);
	if (!d)
		return false;
	answer_reset(a);
	a->state = d->state;
	a->engine = engine_name(t->engine);
	buf_addslice(&a->value, d->value);
	buf_addslice(&a->source, d->source);
	buf_addslice(&a->hint, d->hint);
	buf_addslice(&a->rejected, d->rejected);
	buf_addslice(&a->reason, d->reason);
	return true;
}

/*
 * keyed: the answer is a draft or stale, and gives way to a person's word
 * only, or where the engine made it of an older text to the engine's.
 */
static void
answer_from_memory(struct translator *t, size_t target, bool keyed, bool redraft)
{
	struct answer *a = &t->answer;
	struct proposal *p = &t->proposal;

	propose(&t->proposer, &t->memories[target], p);
	bool sure = p->found && p->match.kind != MATCH_FUZZY && !p->match.doubtful;
	if (keyed && !sure) {
		if (redraft && answer_from_engine(t, target) && a->state == CATALOG_MISSING) {
			answer_reset(a);
			answer_by_key(t, target, &redraft);
		}
		return;
	}
	if (!p->found && answer_from_engine(t, target))
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

/* What the engine says of the proposal, or that it is to be asked. */
static void
draft_plural(struct translator *t, size_t target)
{
	struct slice text = buf_slice(&t->plural);
	const struct draft *d;

	if (!t->engine || t->mute)
		return;
	d = find_draft(t, target, text, plural_dialect(t), 0);
	if (d)
		buf_addslice(&t->answer.plural, d->value);
	else if (t->asking)
		ask_for(t, target, text, plural_dialect(t));
}

/* The record's plural proposal, where memory or an engine has it as well. */
static void
answer_plural(struct translator *t, size_t target)
{
	struct proposer *p = &t->proposer;

	if (!t->plural.len || query_read(&p->query, buf_slice(&t->plural), plural_dialect(t),
				  &p->arena, NULL) < 0)
		return;
	propose(p, &t->memories[target], &t->proposal);
	if (t->proposal.found)
		buf_addslice(&t->answer.plural, buf_slice(&t->proposal.text));
	else
		draft_plural(t, target);
	if (t->answer.plural.len && t->targets[target].rtl && t->settings->isolate)
		isolate(t, &t->answer.plural, plural_dialect(t));
	query_read(&p->query, buf_slice(&t->value), t->source.dialect, &p->arena, NULL);
}

static void
ask_engine(const struct message *m, void *state)
{
	struct apertium *a = state;

	if (a)
		apertium_ask(a, m);
}

/* What an engine is shown: how this file says things, and what was right before. */
static void
note_known(struct translator *t, size_t target)
{
	const struct answer *a = &t->answer;

	if (!t->asking || !t->engine || !a->value.len)
		return;
	if (a->state >= CATALOG_TRANSLATED) {
		gaps_know(&t->gaps, &(struct gap_known){target, buf_slice(&t->file),
		    t->source.text, buf_slice(&a->value)});
		json_add(&t->others, t->memories[target].locale, buf_slice(&a->value));
	} else if (a->stale) {
		json_add(&t->stale, t->memories[target].locale, buf_slice(&a->value));
	}
}

void
translate_into(struct translator *t, size_t target)
{
	struct answer *a = &t->answer;
	struct target *goal = &t->targets[target];

	answer_reset(a);
	if (pseudo_locale(t->memories[target].locale) || t->settings->engine == ENGINE_PSEUDO) {
		answer_pseudo(t, target);
		return;
	}
	bool redraft = false, keyed = answer_by_key(t, target, &redraft);
	t->proposer.miss = t->asking && goal->apertium && !keyed ? ask_engine : NULL;
	t->proposer.miss_state = goal->apertium;
	if (!keyed && !has_words(&t->source))
		answer_unchanged(t);
	else if (a->state < CATALOG_TRANSLATED)
		answer_from_memory(t, target, keyed, redraft);
	note_known(t, target);
	answer_plural(t, target);
	check_glossary(t, target);
	check_length(t);
	if (a->state > CATALOG_MISSING && goal->rtl && t->settings->isolate)
		isolate(t, &a->value, t->source.dialect);
}

