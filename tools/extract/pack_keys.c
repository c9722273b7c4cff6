/*
 * The keys of a pack file's sections, and what each sets.
 */
#include "tools/extract/pack_parse.h"

static int
set_flag(struct parser *p, struct slice value, bool *flag)
{
	if (!slice_is(value, "yes") && !slice_is(value, "no"))
		return parse_fault(p, "'%.*s' is neither yes nor no", SHOW(value));
	*flag = slice_is(value, "yes");
	return 0;
}

/* ---- patterns ---- */

static const struct pack_let *
find_let(const struct pack *pack, struct slice name)
{
	for (size_t i = 0; i < pack->nlets; i++)
		if (slice_eq(pack->lets[i].name, name))
			return &pack->lets[i];
	return NULL;
}

/* The value with every @{name} replaced by its definition. */
static int
expand(struct parser *p, struct slice value, struct slice *expanded)
{
	struct buf out = {NULL, 0, 0};
	const char *mark;
	int result = 0;

	while (result == 0 && (mark = memmem(value.ptr, value.len, "@{", 2)) != NULL) {
		size_t before = (size_t)(mark - value.ptr);
		const char *close = memchr(mark, '}', value.len - before);
		struct slice name = {mark + 2, close ? (size_t)(close - mark) - 2 : 0};
		const struct pack_let *let = find_let(p->pack, name);

		if (let == NULL) {
			result = parse_fault(p, "nothing is defined as '%.*s'", SHOW(name));
			break;
		}
		buf_add(&out, value.ptr, before);
		buf_addslice(&out, let->value);
		value.len -= before + name.len + 3;
		value.ptr += before + name.len + 3;
		if (out.len > PACK_PATTERN)
			result = parse_fault(p, "the pattern is longer than %d bytes", PACK_PATTERN);
	}
	if (result == 0) {
		buf_addslice(&out, value);
		*expanded = parse_keep_slice(p, buf_slice(&out));
		if (out.len > PACK_PATTERN)
			result = parse_fault(p, "the pattern is longer than %d bytes", PACK_PATTERN);
	}
	buf_free(&out);
	return result;
}

static int
set_pattern(struct parser *p, struct slice value, struct pack_pattern *pattern)
{
	pattern->line = p->line;
	return expand(p, value, &pattern->text);
}

static int
add_unless(struct parser *p, struct slice value, struct pack_pattern *list, size_t *n)
{
	if (*n == PACK_UNLESS)
		return parse_fault(p, "more than %d times 'unless'", PACK_UNLESS);
	return set_pattern(p, value, &list[(*n)++]);
}

/* ---- the sections' keys ---- */

static int
set_format(struct parser *p, struct slice value, const char **format)
{
	static const char *const known[] = {"icu", "printf", "i18next", "plain", "auto"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (slice_is(value, known[i])) {
			*format = known[i];
			return 0;
		}
	}
	return parse_fault(p, "unknown format '%.*s': icu, printf, i18next, plain or auto", SHOW(value));
}

static int
set_word(struct parser *p, struct slice value, struct pack_mode *mode)
{
	struct slice word;

	while (parse_word(&value, &word)) {
		if (word.len != 1 || (unsigned char)word.ptr[0] <= ' ')
			return parse_fault(p, "'%.*s' is not one byte", SHOW(word));
		mode->word[(unsigned char)word.ptr[0]] = true;
	}
	return 0;
}

static int
head_key(struct parser *p, struct slice key, struct slice value)
{
	struct pack *pack = p->pack;
	struct slice word;

	if (slice_is(key, "files")) {
		while (parse_word(&value, &word))
			glob_add(&pack->files, word);
		return 0;
	}
	if (slice_is(key, "kind")) {
		if (!slice_is(value, "string") && !slice_is(value, "note"))
			return parse_fault(p, "unknown kind '%.*s': string or note", SHOW(value));
		pack->notes = slice_is(value, "note");
		return 0;
	}
	if (slice_is(key, "format"))
		return set_format(p, value, &pack->format);
	if (slice_is(key, "word"))
		return set_word(p, value, pack->modes[0]);
	if (slice_is(key, "unless"))
		return add_unless(p, value, pack->unless, &pack->nunless);
	return parse_fault(p, "unknown key '%.*s': files, kind, format, word or unless", SHOW(key));
}

static int
let_key(struct parser *p, struct slice key, struct slice value)
{
	struct pack *pack = p->pack;

	if (pack->nlets == PACK_LETS)
		return parse_fault(p, "more than %d definitions", PACK_LETS);
	if (find_let(pack, key) != NULL)
		return parse_fault(p, "'%.*s' is defined already", SHOW(key));
	if (expand(p, value, &value) != 0)
		return -1;
	pack->lets[pack->nlets++] = (struct pack_let){parse_keep_slice(p, key), value};
	return 0;
}

/* `${}` is opened by `${` and closed by `}`; `$name` is opened by `$`. */
static int
add_interpolation(struct parser *p, struct pack_syntax *s, struct slice word)
{
	size_t i = s->ninterpolations;

	word = parse_keep_slice(p, word);
	if (slice_ends(word, "name") && word.len > 4) {
		s->open[i] = (struct slice){word.ptr, word.len - 4};
		s->close[i] = (struct slice){"", 0};
	} else if (word.len >= 2 && strchr(")}]", word.ptr[word.len - 1]) != NULL) {
		size_t close = slice_ends(word, "}}") ? 2 : 1;

		s->open[i] = (struct slice){word.ptr, word.len - close};
		s->close[i] = (struct slice){word.ptr + word.len - close, close};
	} else {
		return parse_fault(p, "'%.*s' is not like ${} or $name", SHOW(word));
	}
	s->ninterpolations++;
	return 0;
}

static int
add_escape(struct parser *p, struct pack_syntax *s, struct slice word)
{
	static const struct {
		const char *word;
		unsigned escape;
	} known[] = {{"\\xHH", ESCAPE_HEX2}, {"\\uHHHH", ESCAPE_HEX4}, {"\\UHHHHHHHH", ESCAPE_HEX8},
	    {"\\u{H}", ESCAPE_BRACES}, {"\\OOO", ESCAPE_OCTAL}, {"\\newline", ESCAPE_NEWLINE},
	    {"&", ESCAPE_ENTITIES}, {"\\", 0}, {"doubled", ESCAPE_DOUBLED}};
	size_t nletters = strlen(s->letters);

	if (word.ptr[0] == '\\')
		s->escapes |= ESCAPE_ANY;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (slice_is(word, known[i].word)) {
			s->escapes |= known[i].escape;
			return 0;
		}
	}
	if (word.len == 2 && word.ptr[0] == '\\' && strchr("ntrbfvae0", word.ptr[1]) != NULL &&
	    nletters + 1 < sizeof(s->letters)) {
		s->letters[nletters] = word.ptr[1];
		return 0;
	}
	return parse_fault(p, "unknown escape '%.*s'", SHOW(word));
}

static int
syntax_key(struct parser *p, struct slice key, struct slice value)
{
	static const char *const spaces[] = {"keep", "collapse", "block", "indent"};
	struct pack_syntax *s = p->syntax;
	struct slice word;
	int result = 0;

	if (slice_is(key, "quotes") || slice_is(key, "interpolation") || slice_is(key, "escapes")) {
		while (result == 0 && parse_word(&value, &word)) {
			if (s->nquotes == SYNTAX_MARKS || s->ninterpolations == SYNTAX_MARKS)
				return parse_fault(p, "more than %d of them", SYNTAX_MARKS);
			if (slice_is(key, "quotes"))
				s->quotes[s->nquotes++] = parse_keep_slice(p, word);
			else if (slice_is(key, "interpolation"))
				result = add_interpolation(p, s, word);
			else
				result = add_escape(p, s, word);
		}
		return result;
	}
	if (slice_is(key, "join")) {
		s->join = parse_keep_slice(p, value);
		return 0;
	}
	if (slice_is(key, "adjacent"))
		return set_flag(p, value, &s->adjacent);
	if (slice_is(key, "space")) {
		for (size_t i = 0; i < 4; i++) {
			if (slice_is(value, spaces[i])) {
				s->space = (enum syntax_space)i;
				return 0;
			}
		}
		return parse_fault(p, "unknown space '%.*s': keep, collapse, block or indent", SHOW(value));
	}
	return parse_fault(p, "unknown key '%.*s': quotes, escapes, interpolation, join, "
				"adjacent or space",
	    SHOW(key));
}

static int
mode_key(struct parser *p, struct slice key, struct slice value)
{
	if (slice_is(key, "word"))
		return set_word(p, value, p->mode);
	return parse_fault(p, "unknown key '%.*s': word", SHOW(key));
}

static int
find_mode(struct parser *p, struct slice name)
{
	for (size_t i = 0; i < p->pack->nmodes; i++)
		if (slice_is(name, p->pack->modes[i]->name))
			return (int)i;
	return parse_fault(p, "no mode '%.*s' above", SHOW(name));
}

static int
set_in(struct parser *p, struct slice value)
{
	struct slice word;
	int mode;

	p->rule->in = slice_is(value, "*") ? UINT32_MAX : 0;
	if (p->rule->in)
		return 0;
	while (parse_word(&value, &word)) {
		if ((mode = find_mode(p, word)) < 0)
			return -1;
		p->rule->in |= (uint32_t)1 << mode;
	}
	return 0;
}

static int
set_at(struct parser *p, struct slice value)
{
	struct pack_rule *r = p->rule;
	struct slice word;

	while (parse_word(&value, &word)) {
		if (r->nat == PACK_WORDS)
			return parse_fault(p, "more than %d words", PACK_WORDS);
		r->at = xgrow(r->at, r->nat, &r->at_cap, sizeof(*r->at));
		r->at[r->nat++] = parse_keep_slice(p, word);
	}
	return 0;
}

/* The text that ends a skip; `\n` is a line break and the only escape. */
static int
set_until(struct parser *p, struct slice value)
{
	if (value.len == 0)
		return parse_fault(p, "'until' needs a text");
	p->rule->until = slice_is(value, "\\n") ? S("\n") : parse_keep_slice(p, value);
	return 0;
}

static int
set_leave(struct parser *p, struct slice value)
{
	bool leave = false;

	if (slice_is(value, "all")) {
		p->rule->leave = SIZE_MAX;
		return 0;
	}
	if (set_flag(p, value, &leave) != 0)
		return -1;
	p->rule->leave = leave;
	return 0;
}

static int
set_level(struct parser *p, struct slice value)
{
	static const char *const levels[] = {"core", "likely", "all"};

	for (size_t i = 0; i < 3; i++) {
		if (slice_is(value, levels[i])) {
			p->rule->level = (enum level)(LEVEL_CORE + i);
			return 0;
		}
	}
	return parse_fault(p, "unknown level '%.*s': core, likely or all", SHOW(value));
}

static int
set_syntax(struct parser *p, struct slice value)
{
	struct slice word;
	size_t n = 0, i;

	while (parse_word(&value, &word)) {
		for (i = 0; i < p->pack->nsyntaxes; i++)
			if (slice_is(word, p->pack->syntaxes[i]->name))
				break;
		if (i == p->pack->nsyntaxes)
			return parse_fault(p, "no syntax '%.*s' above", SHOW(word));
		if (n == PACK_SYNTAXES)
			return parse_fault(p, "more than %d syntaxes", PACK_SYNTAXES);
		p->rule->syntax[n++] = p->pack->syntaxes[i];
	}
	p->rule->syntax[n] = NULL;
	return 0;
}

static int
rule_key(struct parser *p, struct slice key, struct slice value)
{
	struct pack_rule *r = p->rule;

	if (slice_is(key, "at"))
		return set_at(p, value);
	if (slice_is(key, "match"))
		return set_pattern(p, value, &r->match);
	if (slice_is(key, "until"))
		return set_until(p, value);
	if (slice_is(key, "in"))
		return set_in(p, value);
	if (slice_is(key, "enter"))
		return (r->enter = find_mode(p, value)) < 0 ? -1 : 0;
	if (slice_is(key, "leave"))
		return set_leave(p, value);
	if (p->section == SKIP)
		return parse_fault(p, "unknown key '%.*s' of a skip: at, match, until, in, enter or leave",
		    SHOW(key));
	if (slice_is(key, "level"))
		return set_level(p, value);
	if (slice_is(key, "format"))
		return set_format(p, value, &r->format);
	if (slice_is(key, "syntax"))
		return set_syntax(p, value);
	if (slice_is(key, "unless"))
		return add_unless(p, value, r->unless, &r->nunless);
	if (p->pack->notes && (slice_is(key, "reason") || slice_is(key, "widget")))
		return parse_fault(p, "'%.*s' is for strings: a note has its captures", SHOW(key));
	if (slice_is(key, "reason"))
		r->reason = parse_keep(p, value);
	else if (slice_is(key, "widget"))
		r->widget = parse_keep(p, value);
	else
		return parse_fault(p, "unknown key '%.*s' of a rule", SHOW(key));
	return 0;
}

int
parse_key(struct parser *p, struct slice key, struct slice value)
{
	static int (*const keys[])(struct parser *, struct slice, struct slice) = {
	    [HEAD] = head_key, [LET] = let_key, [SYNTAX] = syntax_key, [MODE] = mode_key,
	    [RULE] = rule_key, [SKIP] = rule_key};

	return keys[p->section](p, key, value);
}
