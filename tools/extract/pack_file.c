/*
 * The pack file: lines and sections. Patterns are only put together here, which is cheap;
 * pack_build.c compiles them.
 */
#include "common/path.h"
#include "tools/extract/pack_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { INCLUDES = 8 }; /* files that a pack includes; those include no others */

static int read_lines(struct parser *, struct slice text);

int
parse_fault(struct parser *p, const char *format, ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (p->file != NULL)
		err_set(p->e, "bad_pack", "in '%s': %s", p->file, text);
	else
		err_set(p->e, "bad_pack", "%s", text);
	if (p->e != NULL)
		p->e->line = p->line;
	return -1;
}

const char *
parse_keep(struct parser *p, struct slice s)
{
	return arena_copy(&p->pack->arena, s.ptr, s.len);
}

struct slice
parse_keep_slice(struct parser *p, struct slice s)
{
	return (struct slice){parse_keep(p, s), s.len};
}

bool
parse_word(struct slice *list, struct slice *word)
{
	*list = slice_trim(*list);
	*word = (struct slice){list->ptr, 0};
	while (word->len < list->len && list->ptr[word->len] != ' ' && list->ptr[word->len] != '\t')
		word->len++;
	list->ptr += word->len, list->len -= word->len;
	return word->len > 0;
}

/* ---- sections ---- */

static int
include(struct parser *p, struct slice name)
{
	const char *slash = strrchr(p->pack->file, '/');
	struct buf path = {NULL, 0, 0}, text = {NULL, 0, 0};
	struct parser inner = *p;
	struct err e = {0};
	int result;

	if (p->file != NULL)
		return parse_fault(p, "an included file includes no other");
	if (memchr(name.ptr, '/', name.len) != NULL || slice_is(name, "..") || name.len == 0)
		return parse_fault(p, "'%.*s' is not the name of a file beside this one", SHOW(name));
	if (p->includes++ == INCLUDES)
		return parse_fault(p, "more than %d included files", INCLUDES);
	if (slash != NULL)
		buf_add(&path, p->pack->file, (size_t)(slash + 1 - p->pack->file));
	buf_addslice(&path, name);
	if (path_read(path.ptr, PACK_FILE, &text, &e) != 0) {
		result = parse_fault(p, "%s", e.text);
	} else {
		inner.file = parse_keep(p, name);
		inner.section = NONE;
		inner.line = 0;
		result = read_lines(&inner, buf_slice(&text));
	}
	buf_free(&path);
	buf_free(&text);
	p->section = NONE;
	return result;
}

static struct pack_mode *
add_mode(struct parser *p, struct slice name)
{
	struct pack_mode *mode = xcalloc(1, sizeof(*mode));

	mode->name = parse_keep(p, name);
	for (unsigned b = 0; b < 256; b++)
		mode->word[b] = b >= 128 || (b >= '0' && b <= '9') || b == '_' || b == '$' ||
		    ((b | 32) >= 'a' && (b | 32) <= 'z');
	return p->pack->modes[p->pack->nmodes++] = mode;
}

static int
begin_rule(struct parser *p, struct slice name, enum pack_section section)
{
	struct pack *pack = p->pack;
	struct pack_rule *r;

	if (pack->nrules == PACK_RULES)
		return parse_fault(p, "more than %d rules", PACK_RULES);
	r = xcalloc(1, sizeof(*r));
	pack->rules = xgrow(pack->rules, pack->nrules, &pack->rules_cap, sizeof(*pack->rules));
	pack->rules[pack->nrules++] = r;
	r->name = parse_keep(p, name);
	r->file = p->file;
	r->line = p->line;
	r->reports = section == RULE;
	r->in = 1;
	r->enter = -1;
	r->level = LEVEL_LIKELY;
	r->reason = r->name;
	r->format = pack->format;
	for (size_t i = 0; i < pack->nsyntaxes; i++)
		r->syntax[i] = pack->syntaxes[i];
	p->rule = r;
	p->section = section;
	return 0;
}

static int
begin_section(struct parser *p, struct slice line)
{
	struct slice type, name;

	if (line.ptr[line.len - 1] != ']')
		return parse_fault(p, "no ']' at the end of '%.*s'", SHOW(line));
	name = (struct slice){line.ptr + 1, line.len - 2};
	if (!parse_word(&name, &type))
		return parse_fault(p, "a section without a name");
	name = slice_trim(name);
	if (slice_is(type, "let") && name.len == 0) {
		p->section = LET;
		return 0;
	}
	if (name.len == 0)
		return parse_fault(p, "[%.*s] needs a name", SHOW(type));
	if (slice_is(type, "include"))
		return include(p, name);
	if (slice_is(type, "rule") || slice_is(type, "skip"))
		return begin_rule(p, name, slice_is(type, "rule") ? RULE : SKIP);
	if (slice_is(type, "syntax")) {
		if (p->pack->nsyntaxes == PACK_SYNTAXES)
			return parse_fault(p, "more than %d syntaxes", PACK_SYNTAXES);
		p->syntax = xcalloc(1, sizeof(*p->syntax));
		p->pack->syntaxes[p->pack->nsyntaxes++] = p->syntax;
		p->syntax->name = parse_keep(p, name);
		p->section = SYNTAX;
		return 0;
	}
	if (slice_is(type, "mode")) {
		if (p->pack->nmodes == PACK_MODES)
			return parse_fault(p, "more than %d modes", PACK_MODES);
		p->mode = add_mode(p, name);
		p->section = MODE;
		return 0;
	}
	return parse_fault(p, "unknown section '%.*s': let, syntax, mode, rule, skip or include",
	    SHOW(type));
}

static int
read_key(struct parser *p, struct slice line)
{
	const char *equals = memchr(line.ptr, '=', line.len);
	struct slice key, value;

	if (equals == NULL)
		return parse_fault(p, "neither a section nor 'key = value': '%.*s'", SHOW(line));
	if (p->section == NONE)
		return parse_fault(p, "a key outside of any section");
	key = slice_trim((struct slice){line.ptr, (size_t)(equals - line.ptr)});
	value = slice_trim((struct slice){equals + 1, (size_t)(line.ptr + line.len - equals - 1)});
	return parse_key(p, key, value);
}

/* ---- lines ---- */

static bool
continues(struct slice text)
{
	return text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t');
}

/* Whether the line sets a pattern, in which white space would mean something. */
static bool
sets_pattern(const struct parser *p, struct slice line)
{
	const char *equals = memchr(line.ptr, '=', line.len);
	struct slice key = slice_trim((struct slice){line.ptr, equals ? (size_t)(equals - line.ptr) : 0});

	return p->section == LET || slice_is(key, "match") || slice_is(key, "unless");
}

/*
 * A line that begins with white space goes on with the one before it: directly in a pattern,
 * after a space elsewhere.
 */
static int
read_lines(struct parser *p, struct slice text)
{
	struct buf joined = {NULL, 0, 0};
	struct slice next;
	size_t line = 0;
	int result = 0;

	while (result == 0 && slice_line(&text, &next)) {
		buf_reset(&joined);
		p->line = ++line;
		buf_addslice(&joined, next);
		while (joined.len && joined.ptr[0] != '#' && continues(text) &&
		    slice_line(&text, &next)) {
			line++;
			if (!sets_pattern(p, buf_slice(&joined)))
				buf_addc(&joined, ' ');
			buf_addslice(&joined, slice_trim(next));
		}
		struct slice whole = slice_trim(buf_slice(&joined));

		if (whole.len == 0 || whole.ptr[0] == '#')
			continue;
		result = whole.ptr[0] == '[' ? begin_section(p, whole) : read_key(p, whole);
	}
	buf_free(&joined);
	return result;
}

/* "kotlin" of "rules/kotlin.rules". */
static char *
base_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');

	return xstrndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

struct pack *
pack_parse(const char *file, struct slice text, struct err *e)
{
	struct pack *pack = xcalloc(1, sizeof(*pack));
	struct parser p = {.pack = pack, .e = e};
	int result = 0;

	pack->file = xstrdup(file);
	pack->name = base_name(file);
	pack->format = "icu";
	add_mode(&p, S("main"));
	if (utf8_valid(text.ptr, text.len) != text.len)
		result = parse_fault(&p, "not UTF-8");
	if (result == 0)
		result = read_lines(&p, text);
	if (result == 0)
		return pack;
	pack_free(pack);
	return NULL;
}

struct pack *
pack_load(const char *file, struct err *e)
{
	struct buf text = {NULL, 0, 0};
	struct pack *pack = NULL;

	if (path_read(file, PACK_FILE, &text, e) == 0)
		pack = pack_parse(file, buf_slice(&text), e);
	buf_free(&text);
	return pack;
}
