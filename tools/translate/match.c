#include "tools/translate/match.h"

#include "common/format/catalog.h"
#include "tools/translate/branch.h"
#include "tools/translate/fold.h"
#include "tools/translate/fuzzy.h"

enum {
	CANDIDATES = 64,   /* units of one folded text that are weighed */
	PLACEHOLDERS = 40, /* of a text that another's are put into: pairing them is cubic */
};

int
query_read(struct query *q, struct slice text, unsigned dialect, struct arena *arena, struct err *e)
{
	buf_reset(&q->skeleton);
	buf_reset(&q->folded);
	if (message_parse(text, dialect, arena, &q->m, e) < 0)
		return -1;
	fold_skeleton(&q->m, &q->skeleton);
	fold_text(buf_slice(&q->skeleton), &q->folded);
	q->hash = store_hash(buf_slice(&q->folded));
	return 0;
}

/* ---- putting the query's placeholders in ---- */

/* The i-th placeholder node, or NULL. */
static const struct message_node *
placeholder(const struct message *m, size_t wanted)
{
	for (size_t i = 0; i < m->n; i++)
		if ((m->nodes[i].type == MESSAGE_PLACEHOLDER ||
			m->nodes[i].type == MESSAGE_POUND) &&
		    wanted-- == 0)
			return &m->nodes[i];
	return NULL;
}

/*
 * What stands in the query for the placeholder of that name in the unit's
 * source: they correspond in order of appearance. A name that stands for two
 * different ones is no correspondence.
 */
static bool
counterpart(const struct message *found, const struct message *wanted, struct slice name,
    struct slice *out)
{
	const struct message_node *a, *b, *first = NULL;

	for (size_t i = 0; (a = placeholder(found, i)); i++) {
		if (!slice_eq(a->name, name))
			continue;
		b = placeholder(wanted, i);
		if (!b || (first && !slice_eq(first->name, b->name)))
			return false;
		if (!first)
			*out = message_bytes(wanted, b);
		first = b;
	}
	return first != NULL;
}

/* Appends a skeleton with its placeholders in the query's spelling. */
static bool
expand(struct slice skeleton, const struct message *found, const struct message *target,
    const struct message *wanted, struct buf *out)
{
	size_t from = 0, mark = out->len, k = 0;

	for (size_t i = 0; i <= skeleton.len; i++) {
		bool end = i == skeleton.len;
		const struct message_node *node;
		struct slice bytes;

		if (!end && skeleton.ptr[i] != FOLD_PLACEHOLDER)
			continue;
		if (!message_quote((struct slice){skeleton.ptr + from, i - from}, wanted->dialect,
			false, !end, out))
			break;
		if (end)
			return true;
		node = placeholder(target, k++);
		if (!node || !counterpart(found, wanted, node->name, &bytes))
			break;
		buf_addslice(out, bytes);
		from = i + 1;
	}
	buf_cut(out, mark);
	return false;
}

/* A text of the unit as an answer to a text of the query; none has branches. */
static bool
realise_text(const struct message *found, const struct message *translation,
    const struct message *wanted, const char *locale, bool exact, struct buf *out)
{
	struct buf restored = {0}, target = {0}, from = {0}, to = {0};

	if (placeholder(found, PLACEHOLDERS) || placeholder(translation, PLACEHOLDERS))
		return false;
	fold_skeleton(translation, &target);
	if (!exact) {
		fold_skeleton(found, &from);
		fold_skeleton(wanted, &to);
		fold_restore(
		    buf_slice(&target), buf_slice(&from), buf_slice(&to), locale, &restored);
	}
	bool done = expand(buf_slice(exact ? &target : &restored), found, translation, wanted, out);
	buf_free(&restored);
	buf_free(&target);
	buf_free(&from);
	buf_free(&to);
	return done;
}

/* One case of a plural as a message of its own. */
static bool
read_case(const struct message *m, const struct message_node *branch,
    const struct message_node *chosen, struct arena *arena, struct message *whole)
{
	struct buf text = {0};

	branch_flatten(m, branch, chosen, &text);
	struct slice copy = {arena_copy(arena, text.ptr ? text.ptr : "", text.len), text.len};
	buf_free(&text);
	return message_parse(copy, m->dialect, arena, whole, NULL) == 0;
}

/* A plural of the unit as an answer to a plural of the query: all its cases. */
static bool
realise_plural(const struct message *found, const struct message *translation,
    const struct message *wanted, const char *locale, bool exact, struct arena *arena,
    struct buf *out)
{
	const struct message_node *f = branch_single(found), *t = branch_single(translation);
	const struct message_node *w = branch_single(wanted), *other, *c;
	struct message found_other, wanted_other, one;
	struct buf text = {0};
	size_t mark = out->len;
	bool ok, pound = branch_has_pound(wanted);

	ok = f && t && w && w->type == MESSAGE_PLURAL && t->type == MESSAGE_PLURAL &&
	    (other = message_case(f, S("other"))) && read_case(found, f, other, arena, &found_other) &&
	    (other = message_case(w, S("other"))) && read_case(wanted, w, other, arena, &wanted_other);
	if (!ok)
		return false;
	branch_open(w, out);
	for (c = t + 1; ok && c < t + t->size; c += c->size) {
		buf_reset(&text);
		ok = read_case(translation, t, c, arena, &one) &&
		    realise_text(&found_other, &one, &wanted_other, locale, exact, &text) &&
		    branch_add(w, c->name, buf_slice(&text), wanted->dialect, pound, arena, out);
	}
	branch_close(out);
	if (!ok)
		buf_cut(out, mark);
	buf_free(&text);
	return ok;
}

static bool
realise(const struct memories *memories, const struct store *s, const struct unit *u,
    const struct query *q, bool exact, struct arena *arena, struct buf *out)
{
	struct slice source = store_source(s, u), target = store_target(s, u);
	struct message found, translation;

	if (u->dialect == q->m.dialect && slice_eq(source, q->m.text)) {
		buf_addslice(out, target);
		return true;
	}
	if (message_parse(source, u->dialect, arena, &found, NULL) < 0 ||
	    message_parse(target, u->dialect, arena, &translation, NULL) < 0)
		return false;
	if (message_branches(&q->m)) {
		if (slice_eq(source, q->m.text))
			return message_convert(&translation, q->m.dialect, out);
		return realise_plural(
		    &found, &translation, &q->m, memories->locale, exact, arena, out);
	}
	if (message_branches(&translation) || message_branches(&found))
		return false;
	return realise_text(&found, &translation, &q->m, memories->locale, exact, out);
}

/* ---- choosing ---- */

struct group {
	const struct unit *best; /* the most trusted unit that says so */
	struct slice text;	 /* the translation, realised */
	unsigned votes;
	bool exact;
};

static bool
same_skeleton(const struct message *a, const struct message *b)
{
	struct buf x = {0}, y = {0};

	fold_skeleton(a, &x);
	fold_skeleton(b, &y);
	bool same = slice_eq(buf_slice(&x), buf_slice(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

/*
 * Plurals whose skeletons (of "other") agree: whether their cases for one
 * number (=0, not =1, which only says "other" in the singular) do as well.
 */
static bool
same_cases(const struct message *a, const struct message *b, struct arena *arena)
{
	const struct message_node *x = branch_single(a), *y = branch_single(b), *c, *d;
	struct message one, two;

	for (c = x + 1; x && y && c < x + x->size; c += c->size) {
		if (*c->name.ptr != '=' || slice_is(c->name, "=1"))
			continue;
		d = message_case(y, c->name);
		if (d && !slice_is(d->name, "other") &&
		    (!read_case(a, x, c, arena, &one) || !read_case(b, y, d, arena, &two) ||
			!same_skeleton(&one, &two)))
			return false;
	}
	return x && y;
}

static bool
is_exact(const struct store *s, const struct unit *u, const struct query *q, struct arena *arena)
{
	struct message m;

	if (slice_eq(store_source(s, u), q->m.text))
		return true;
	if (message_parse(store_source(s, u), u->dialect, arena, &m, NULL) < 0)
		return false;
	return same_skeleton(&m, &q->m) &&
	    (!message_branches(&q->m) || same_cases(&q->m, &m, arena));
}

static bool
trusted(const struct unit *u)
{
	return u->state >= CATALOG_TRANSLATED;
}

/* Whether a comes before b as the translation to give. */
static bool
better(const struct group *a, const struct group *b)
{
	if (trusted(a->best) != trusted(b->best))
		return trusted(a->best);
	if (a->best->distance != b->best->distance)
		return a->best->distance < b->best->distance;
	if (a->votes != b->votes)
		return a->votes > b->votes;
	return a->best->order < b->best->order;
}

/* The distinct translations among the units of one folded text, best first. */
static size_t
gather(const struct memories *memories, enum tier tier, const struct query *q, bool exact,
    struct arena *arena, struct group *groups)
{
	const struct store *s = &memories->tiers[tier];
	struct buf text = {0};
	size_t units, n = 0, k;
	const struct unit *u = s->n ? store_find(s, q->hash, &units) : NULL;

	for (size_t i = 0; u && i < units && i < CANDIDATES; i++, u++) {
		buf_reset(&text);
		if (is_exact(s, u, q, arena) != exact ||
		    !realise(memories, s, u, q, exact, arena, &text))
			continue;
		for (k = 0; k < n && !slice_eq(groups[k].text, buf_slice(&text)); k++)
			;
		if (k == n)
			groups[n++] = (struct group){.best = u, .exact = exact,
			    .text = {arena_copy(arena, text.ptr, text.len), text.len}};
		groups[k].votes += u->votes;
		if (trusted(u) && !trusted(groups[k].best))
			groups[k].best = u;
	}
	for (size_t i = 1; i < n; i++)
		for (k = i; k > 0 && better(&groups[k], &groups[k - 1]); k--) {
			struct group swap = groups[k];
			groups[k] = groups[k - 1];
			groups[k - 1] = swap;
		}
	buf_free(&text);
	return n;
}

/*
 * One word is the most ambiguous ("Open", "Save"): installed catalogues are
 * believed only where several agree, and more than say otherwise. A longer
 * text is doubtful only when as many say otherwise.
 */
static bool
is_doubtful(const struct group *groups, size_t n, enum tier tier, const struct query *q)
{
	bool single = !memchr(q->folded.ptr, ' ', q->folded.len);
	unsigned other = n > 1 && trusted(groups[1].best) ? groups[1].votes : 0;

	/* A plural that differs in =0 says something else there. */
	if (!trusted(groups[0].best) || (message_branches(&q->m) && !groups[0].exact))
		return true;
	if (tier == TIER_SYSTEM && single)
		return groups[0].votes < 2 || groups[0].votes <= other;
	return n > 1 && single && groups[0].votes <= other;
}

/* Leaves out the groups that may not be given; how many are left. */
static size_t
accepted(struct group *groups, size_t n, bool with_trust, const struct match_rules *rules)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		/* Best first: what is not trusted is followed by nothing that is. */
		if (with_trust && kept == 0 && !trusted(groups[i].best))
			return 0;
		if (!rules->accept || rules->accept(groups[i].text, rules->state))
			groups[kept++] = groups[i];
	}
	return kept;
}

static bool
find_folded(const struct memories *memories, const struct query *q, bool exact, bool with_trust,
    const struct match_rules *rules, struct match *match, struct arena *arena, struct buf *out)
{
	struct group groups[CANDIDATES];

	for (int tier = 0; tier < TIERS; tier++) {
		size_t n = gather(memories, (enum tier)tier, q, exact, arena, groups);

		n = accepted(groups, n, with_trust, rules);
		if (!n)
			continue;
		*match = (struct match){.kind = exact ? MATCH_EXACT : MATCH_FOLDED,
		    .tier = (enum tier)tier, .score = 1, .votes = groups[0].votes,
		    .file = store_name(&memories->tiers[tier], groups[0].best),
		    .doubtful = is_doubtful(groups, n, (enum tier)tier, q)};
		for (size_t i = 1; i < n && match->nalternatives < 3; i++)
			match->alternatives[match->nalternatives++] = groups[i].text;
		buf_addslice(out, groups[0].text);
		return true;
	}
	return false;
}

static bool
find_fuzzy(const struct memories *memories, const struct query *q,
    const struct match_rules *rules, struct match *match, struct arena *arena, struct buf *out)
{
	const struct unit *best = NULL;
	int best_tier = 0;

	match->score = 0;
	for (int tier = 0; tier < TIER_ENGINE; tier++) {
		double score;
		const struct store *s = &memories->tiers[tier];
		const struct unit *u = s->n && q->folded.len
		    ? fuzzy_find(s, q->m.text, buf_slice(&q->folded), rules->fuzzy, &score)
		    : NULL;

		if (!u || score <= match->score)
			continue;
		best = u;
		best_tier = tier;
		match->score = score;
	}
	size_t mark = out->len;
	if (!best || !realise(memories, &memories->tiers[best_tier], best, q, false, arena, out))
		return false;
	if (rules->accept &&
	    !rules->accept((struct slice){out->ptr + mark, out->len - mark}, rules->state)) {
		buf_cut(out, mark);
		return false;
	}
	match->kind = MATCH_FUZZY;
	match->tier = (enum tier)best_tier;
	match->file = store_name(&memories->tiers[best_tier], best);
	match->votes = best->votes;
	match->doubtful = true;
	return true;
}

bool
match_find(const struct memories *memories, const struct query *q,
    const struct match_rules *rules, struct match *match, struct arena *arena, struct buf *out)
{
	*match = (struct match){.file = ""};
	if (!q->folded.len)
		return false;
	/* A person's word in a later source comes before a draft in an earlier one. */
	return find_folded(memories, q, true, true, rules, match, arena, out) ||
	    find_folded(memories, q, false, true, rules, match, arena, out) ||
	    find_folded(memories, q, true, false, rules, match, arena, out) ||
	    find_folded(memories, q, false, false, rules, match, arena, out) ||
	    (rules->fuzzy > 0 && find_fuzzy(memories, q, rules, match, arena, out));
}
