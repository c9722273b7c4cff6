/*
 * From rules to what the pass over a source needs: compiled patterns, and for every mode a table
 * that tells by one byte, or by one word, which rules are worth trying.
 */
#include "tools/extract/pack_rule.h"

#include <stdio.h>

static int
fault(const struct pack_rule *r, size_t line, struct err *e, const char *what)
{
	if (r != NULL && r->file != NULL)
		err_set(e, "bad_pack", "in '%s', rule '%s': %s", r->file, r->name, what);
	else if (r != NULL)
		err_set(e, "bad_pack", "rule '%s': %s", r->name, what);
	else
		err_set(e, "bad_pack", "%s", what);
	if (e != NULL)
		e->line = line;
	return -1;
}

static int
compile(const struct pack_rule *r, struct pack_pattern *p, unsigned flags, struct err *e)
{
	struct err inner = {0};
	char what[350];

	if (p->text.ptr == NULL)
		return 0;
	p->regex = regex_compile(p->text, flags | REGEX_DUPNAMES, &inner);
	if (p->regex != NULL)
		return 0;
	if (inner.column && inner.column <= p->text.len)
		snprintf(what, sizeof(what), "%.200s, before '%.*s'", inner.text,
		    (int)(p->text.len - inner.column + 1 > 40 ? 40 : p->text.len - inner.column + 1),
		    p->text.ptr + inner.column - 1);
	else
		snprintf(what, sizeof(what), "%.200s", inner.text);
	return fault(r, p->line, e, what);
}

/* Which captures mean what. */
static int
find_captures(const struct pack *pack, struct pack_rule *r, struct err *e)
{
	static const char *const names[CAPTURES] = {"text", "key", "context", "plural", "name"};
	size_t groups = r->match.regex ? regex_groups(r->match.regex) : 0;

	for (size_t g = 1; g <= groups; g++) {
		const char *name = regex_group_name(r->match.regex, g);

		for (size_t i = 0; name != NULL && i < CAPTURES; i++) {
			if (strcmp(name, names[i]) != 0)
				continue;
			r->captures[i].v = xgrow(r->captures[i].v, r->captures[i].n,
			    &r->captures[i].cap, sizeof(*r->captures[i].v));
			r->captures[i].v[r->captures[i].n++] = g;
		}
	}
	if (r->reports && !pack->notes && r->captures[CAPTURE_TEXT].n == 0)
		return fault(r, r->line, e, "the pattern has no (?<text>…)");
	return 0;
}

static int
build_rule(const struct pack *pack, struct pack_rule *r, struct err *e)
{
	if (r->nat == 0 && r->match.text.ptr == NULL)
		return fault(r, r->line, e, "neither 'at' nor 'match' says where it begins");
	if (r->nat == 0 && r->until.ptr != NULL && r->match.text.ptr == NULL)
		return fault(r, r->line, e, "'until' needs 'at' or 'match'");
	if (compile(r, &r->match, REGEX_ANCHORED | REGEX_MULTILINE, e) != 0)
		return -1;
	for (size_t i = 0; i < r->nunless; i++)
		if (compile(r, &r->unless[i], 0, e) != 0)
			return -1;
	return find_captures(pack, r, e);
}

/* ---- tables ---- */

static void
add_try(struct pack_tries *list, struct pack_rule *rule, struct slice literal)
{
	/* A rule comes once, whatever of its bytes and words lead here. */
	if (list->n && list->v[list->n - 1].rule == rule && literal.len == 0 &&
	    list->v[list->n - 1].literal.len == 0)
		return;
	list->v = xgrow(list->v, list->n, &list->cap, sizeof(*list->v));
	list->v[list->n++] = (struct pack_try){rule, literal};
}

/* What an `at` is: a whole word, the end of words (*Label), or any other text. */
enum at_type { AT_WORD, AT_SUFFIX, AT_TEXT };

static enum at_type
at_type(const struct pack_mode *m, struct slice at)
{
	bool suffix = at.len > 1 && at.ptr[0] == '*' && m->word[(unsigned char)at.ptr[1]];

	for (size_t i = suffix; i < at.len; i++)
		if (!m->word[(unsigned char)at.ptr[i]])
			return AT_TEXT;
	return suffix ? AT_SUFFIX : AT_WORD;
}

static bool
ends_with(struct slice word, struct slice suffix)
{
	return word.len >= suffix.len &&
	    memcmp(word.ptr + word.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

static void
add_word(struct pack_mode *m, struct slice word)
{
	bool added;
	uint64_t *index = table_put(&m->words, word, &added);

	if (!added)
		return;
	*index = m->nlists;
	m->lists = xgrow(m->lists, m->nlists, &m->lists_cap, sizeof(*m->lists));
	m->names = xgrow(m->names, m->nlists, &m->names_cap, sizeof(*m->names));
	m->lists[m->nlists] = (struct pack_tries){NULL, 0, 0};
	m->names[m->nlists++] = word;
	m->lengths[(unsigned char)word.ptr[0]] |= (uint64_t)1 << (word.len < 63 ? word.len : 63);
}

/* A rule that can begin with this byte: it is tried at that byte, and at words that begin so. */
static void
add_byte(struct pack_mode *m, unsigned char byte, struct pack_rule *r, struct slice literal)
{
	add_try(&m->bytes[byte], r, literal);
	for (size_t i = 0; i < m->nlists; i++)
		if ((unsigned char)m->names[i].ptr[0] == byte)
			add_try(&m->lists[i], r, literal);
	/* A word that ends so can begin with any byte: the rule sees for itself. */
	for (size_t i = 0; i < m->nsuffixes && m->word[byte]; i++)
		add_try(&m->suffixes[i].tries, r, literal);
}

/* The longest first: its list also has the rules of the shorter ones that end it. */
static void
add_suffix(struct pack_mode *m, struct slice suffix)
{
	size_t i = m->nsuffixes;

	for (size_t j = 0; j < m->nsuffixes; j++)
		if (slice_eq(m->suffixes[j].text, suffix))
			return;
	m->suffixes = xgrow(m->suffixes, m->nsuffixes, &m->suffixes_cap, sizeof(*m->suffixes));
	for (; i > 0 && m->suffixes[i - 1].text.len < suffix.len; i--)
		m->suffixes[i] = m->suffixes[i - 1];
	m->suffixes[i] = (struct pack_suffix){suffix, {NULL, 0, 0}};
	m->nsuffixes++;
	m->last[(unsigned char)suffix.ptr[suffix.len - 1]] = true;
}

/* A rule for words that end so: it joins the lists of all such words that are known by name. */
static void
add_ending(struct pack_mode *m, struct slice ending, struct pack_rule *r)
{
	for (size_t i = 0; i < m->nlists; i++)
		if (ends_with(m->names[i], ending))
			add_try(&m->lists[i], r, S(""));
	for (size_t i = 0; i < m->nsuffixes; i++)
		if (ends_with(m->suffixes[i].text, ending))
			add_try(&m->suffixes[i].tries, r, S(""));
}

static void
add_rule(struct pack_mode *m, struct pack_rule *r)
{
	bool first[256];

	for (size_t i = 0; i < r->nat; i++) {
		struct slice at = r->at[i];

		switch (at_type(m, at)) {
		case AT_WORD:
			add_try(&m->lists[*table_get(&m->words, at)], r, S(""));
			break;
		case AT_SUFFIX:
			add_ending(m, (struct slice){at.ptr + 1, at.len - 1}, r);
			break;
		case AT_TEXT:
			add_byte(m, (unsigned char)at.ptr[0], r, at);
			break;
		}
	}
	if (r->nat)
		return;
	if (!regex_first(r->match.regex, first))
		memset(first, true, sizeof(first));
	for (unsigned b = 0; b < 256; b++)
		if (first[b])
			add_byte(m, (unsigned char)b, r, S(""));
}

static void
add_trigger(struct pack_mode *m, struct slice at)
{
	enum at_type type = at_type(m, at);

	if (type == AT_WORD)
		add_word(m, at);
	else if (type == AT_SUFFIX)
		add_suffix(m, (struct slice){at.ptr + 1, at.len - 1});
}

static void
build_mode(struct pack *pack, size_t index)
{
	struct pack_mode *m = pack->modes[index];

	/* All words first: a rule without words joins the lists of all that it can begin. */
	for (size_t i = 0; i < pack->nrules; i++)
		for (size_t j = 0; pack->rules[i]->in >> index & 1 && j < pack->rules[i]->nat; j++)
			add_trigger(m, pack->rules[i]->at[j]);
	for (size_t i = 0; i < pack->nrules; i++)
		if (pack->rules[i]->in >> index & 1)
			add_rule(m, pack->rules[i]);
	for (unsigned b = 0; b < 256; b++) {
		bool word = m->word[b] && m->nlists + m->nsuffixes;

		/* A byte that goes on with a character begins nothing. */
		m->kind[b] = (b & 0xc0) == 0x80 ? BYTE_PLAIN : m->bytes[b].n ? (word ? BYTE_BOTH : BYTE_RULES) :
		    word ? BYTE_WORD : BYTE_PLAIN;
	}
}

int
pack_compile(struct pack *pack, struct err *e)
{
	if (pack->compiled)
		return 0;
	/* A pack that was refused once is refused again, without the work. */
	if (pack->failed.code != NULL) {
		if (e != NULL)
			*e = pack->failed;
		return -1;
	}
	for (size_t i = 0; i < pack->nunless; i++)
		if (compile(NULL, &pack->unless[i], 0, &pack->failed) != 0)
			return pack_compile(pack, e);
	for (size_t i = 0; i < pack->nrules; i++)
		if (build_rule(pack, pack->rules[i], &pack->failed) != 0)
			return pack_compile(pack, e);
	for (size_t i = 0; i < pack->nmodes; i++)
		build_mode(pack, i);
	for (size_t i = 0; i < pack->nsyntaxes; i++)
		pack_text_prepare(pack->syntaxes[i]);
	pack->text = pack_text_new();
	pack->compiled = true;
	return 0;
}
