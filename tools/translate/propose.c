#include "tools/translate/propose.h"

#include "common/plural.h"
#include "tools/translate/branch.h"

#include <stdio.h>

/* A translation that is being checked. */
struct check {
	struct proposer *proposer;
	const struct memories *memories;
	struct proposal *proposal;
};

/* Whether it passes; else the first that did not is noted, with the reason. */
static bool
passes(struct slice text, void *state)
{
	struct check *c = state;
	struct proposal *out = c->proposal;
	const struct message *source = &c->proposer->query.m;
	struct message_faults faults = {0};

	message_verify(source->text, text, source->dialect, slice(c->memories->locale),
	    &c->proposer->arena, &faults);
	if (!faults.serious)
		return true;
	if (out->rejected.len)
		return false;
	buf_addslice(&out->rejected, text);
	for (size_t i = faults.n; i-- > 0;)
		if (!faults.v[i].warning || i == 0)
			snprintf(out->reason, sizeof(out->reason), "%s", faults.v[i].text);
	return false;
}

/* The weaker of two matches speaks for both. */
static void
weaken(struct match *all, const struct match *one)
{
	bool doubtful = all->doubtful || one->doubtful;

	if (all->kind == MATCH_NONE || one->kind > all->kind ||
	    (one->kind == all->kind && one->tier > all->tier))
		*all = *one;
	all->doubtful = doubtful;
	all->nalternatives = 0;
}

/* One case as a whole text: looked up, and appended to out under selector. */
static bool
add_piece(struct proposer *p, const struct memories *memories, const struct message_node *branch,
    const struct message_node *chosen, struct slice selector, struct match *all, struct buf *out)
{
	struct buf text = {0}, answer = {0};
	struct match match;
	const struct message *m = &p->query.m;
	bool done = false;

	branch_flatten(m, branch, chosen, &text);
	struct slice copy = {arena_copy(&p->arena, text.ptr ? text.ptr : "", text.len), text.len};
	if (query_read(&p->piece, copy, m->dialect, &p->arena, NULL) == 0) {
		if (match_find(memories, &p->piece, &(struct match_rules){.fuzzy = p->fuzzy},
			&match, &p->arena, &answer)) {
			done = branch_add(branch, selector, buf_slice(&answer), m->dialect,
			    branch_has_pound(m), &p->arena, out);
			weaken(all, &match);
		} else if (p->miss) {
			p->miss(&p->piece.m, p->miss_state);
		}
	}
	buf_free(&text);
	buf_free(&answer);
	return done;
}

/* The source's case for one number, "one" or "=1", or NULL. */
static const struct message_node *
singular(const struct message_node *branch)
{
	const struct message_node *one = message_case(branch, S("one"));

	return one && !slice_is(one->name, "other") ? one : NULL;
}

/*
 * A plural from its cases. English has one and other; so have the languages
 * for which this works. What Arabic says for three or for eleven cannot be
 * known from them.
 */
static bool
plural_from_pieces(struct proposer *p, const struct memories *memories,
    const struct message_node *branch, struct proposal *out)
{
	const struct plural_rules *rules = plural_rules(slice(memories->locale));
	plural_set needed = rules ? plural_needed(rules) : 1U << PLURAL_OTHER;
	const struct message_node *one = singular(branch), *other = message_case(branch, S("other"));
	const struct message_node *end = branch + branch->size;
	bool ok = true;

	if (needed & ~(1U << PLURAL_ONE | 1U << PLURAL_OTHER)) {
		snprintf(out->reason, sizeof(out->reason),
		    "%s needs plural categories that only a plural in memory has",
		    memories->locale);
		return false;
	}
	if (needed & 1U << PLURAL_ONE && !one)
		return false;
	branch_open(branch, &out->text);
	for (const struct message_node *c = branch + 1; c < end; c += c->size)
		if (*c->name.ptr == '=' && c != one)
			ok = add_piece(p, memories, branch, c, c->name, &out->match, &out->text) &&
			     ok;
	if (needed & 1U << PLURAL_ONE)
		ok = add_piece(p, memories, branch, one, S("one"), &out->match, &out->text) && ok;
	ok = add_piece(p, memories, branch, other, S("other"), &out->match, &out->text) && ok;
	branch_close(&out->text);
	return ok;
}

static bool
select_from_pieces(struct proposer *p, const struct memories *memories,
    const struct message_node *branch, struct proposal *out)
{
	bool ok = true;

	branch_open(branch, &out->text);
	for (const struct message_node *c = branch + 1; c < branch + branch->size; c += c->size)
		ok = add_piece(p, memories, branch, c, c->name, &out->match, &out->text) && ok;
	branch_close(&out->text);
	return ok;
}

/*
 * A plural from memory has the language's categories. The source's own =N
 * cases that none of them serves are added where memory has them as texts;
 * else a person must look. =1 is served by "one", and by "other" in a language
 * without "one" (ja, ko, zh).
 */
static void
add_exact_cases(struct proposer *p, const struct memories *memories, struct proposal *out)
{
	const struct message_node *branch = branch_single(&p->query.m), *mine, *c, *same;
	struct slice text = {arena_copy(&p->arena, out->text.ptr, out->text.len), out->text.len};
	const struct plural_rules *rules = plural_rules(slice(memories->locale));
	bool has_one = !rules || plural_needed(rules) & 1U << PLURAL_ONE;
	struct message answer;
	struct buf added = {0};

	if (!branch || branch->type != MESSAGE_PLURAL ||
	    message_parse(text, p->query.m.dialect, &p->arena, &answer, NULL) < 0 ||
	    !(mine = branch_single(&answer)))
		return;
	for (c = branch + 1; c < branch + branch->size; c += c->size) {
		if (*c->name.ptr != '=' || (slice_is(c->name, "=1") && !has_one))
			continue;
		same = message_case(mine, c->name);
		if ((!same || slice_is(same->name, "other")) &&
		    !add_piece(p, memories, branch, c, c->name, &out->match, &added))
			out->match.doubtful = true;
	}
	/* They go in front: after the comma of "{n, plural,". */
	const char *comma = memchr(text.ptr + mine->start, ',', text.len - mine->start);
	comma = comma ? memchr(comma + 1, ',', text.len - (size_t)(comma + 1 - text.ptr)) : NULL;
	if (comma && added.len)
		buf_splice(&out->text, (size_t)(comma + 1 - text.ptr), 0, buf_slice(&added));
	buf_free(&added);
}

void
propose(struct proposer *p, const struct memories *memories, struct proposal *out)
{
	struct check check = {p, memories, out};
	struct match_rules rules = {.fuzzy = p->fuzzy, .accept = passes, .state = &check};
	const struct message_node *branch;

	out->found = false;
	out->match = (struct match){.file = ""};
	*out->reason = '\0';
	buf_reset(&out->text);
	buf_reset(&out->rejected);
	if (match_find(memories, &p->query, &rules, &out->match, &p->arena, &out->text)) {
		if (message_branches(&p->query.m))
			add_exact_cases(p, memories, out);
		out->found = passes(buf_slice(&out->text), &check);
		return;
	}
	branch = branch_single(&p->query.m);
	if (!message_branches(&p->query.m)) {
		if (p->miss)
			p->miss(&p->query.m, p->miss_state);
		return;
	}
	if (!branch || branch->type == MESSAGE_ORDINAL) {
		snprintf(out->reason, sizeof(out->reason),
		    "plurals and selects within each other are only matched as a whole");
		return;
	}
	bool made = branch->type == MESSAGE_SELECT ? select_from_pieces(p, memories, branch, out)
						   : plural_from_pieces(p, memories, branch, out);
	out->found = made && passes(buf_slice(&out->text), &check);
	if (!out->found)
		buf_reset(&out->text);
}
