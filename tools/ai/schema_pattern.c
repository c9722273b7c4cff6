/*
 * The rewriting is one pass over the pattern's bytes; PCRE2 then judges the grammar. Matching
 * tries each place where a match can begin by itself, so that the clock is seen between them:
 * a cap for one place alone would let a text of many places take hours.
 */
#include "tools/ai/schema_pattern.h"

#include "common/mem.h"
#include "common/regex.h"

#include <ctype.h>
#include <stdlib.h>
#include <time.h>

struct pattern {
	struct regex *re;
	bool start_only; /* begins with ^ and has no other alternative */
	bool bytes;	 /* first[] says which bytes can begin a match */
	bool first[256];
};

struct reader {
	struct slice in;
	size_t at;
	struct buf *out;
	struct err *e;
	bool class;
};

#define SPACE                                                                                  \
	"\\s\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"  \
	"\\x{feff}"

/* Long names of general categories that PCRE2 knows by the short one only. */
static const char *const categories[][2] = {{"Letter", "L"}, {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"}, {"Lowercase_Letter", "Ll"}, {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"}, {"Other_Letter", "Lo"}, {"Mark", "M"}, {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"}, {"Enclosing_Mark", "Me"}, {"Number", "N"}, {"Decimal_Number", "Nd"},
    {"digit", "Nd"}, {"Letter_Number", "Nl"}, {"Other_Number", "No"}, {"Punctuation", "P"},
    {"punct", "P"}, {"Connector_Punctuation", "Pc"}, {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"}, {"Close_Punctuation", "Pe"}, {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"}, {"Other_Punctuation", "Po"}, {"Symbol", "S"},
    {"Math_Symbol", "Sm"}, {"Currency_Symbol", "Sc"}, {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"}, {"Separator", "Z"}, {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"}, {"Paragraph_Separator", "Zp"}, {"Other", "C"}, {"Control", "Cc"},
    {"Format", "Cf"}, {"Private_Use", "Co"}, {"Unassigned", "Cn"}};

static char
peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->in.len ? r->in.ptr[r->at + ahead] : '\0';
}

static int
refuse(struct reader *r, size_t len, const char *why)
{
	if (len > r->in.len - r->at)
		len = r->in.len - r->at;
	len = utf8_valid(r->in.ptr + r->at, len);
	return err_set(r->e, "bad_pattern", "'%.*s' %s", (int)len, r->in.ptr + r->at, why);
}

/* n hex digits at p, or -1. */
static long
hex_value(struct slice in, size_t at, size_t n)
{
	char text[9] = "";

	if (n == 0 || n >= sizeof(text) || at + n > in.len)
		return -1;
	memcpy(text, in.ptr + at, n);
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)text[i]))
			return -1;
	return strtol(text, NULL, 16);
}

/* \xHH, \uHHHH, a pair of those, \u{H…}: at is on the backslash. */
static int
add_code(struct reader *r)
{
	size_t digits = peek(r, 1) == 'x' ? 2 : 4, from = r->at + 2;
	const char *close;
	long c, low;

	if (peek(r, 1) == 'u' && peek(r, 2) == '{') {
		close = memchr(r->in.ptr + from, '}', r->in.len - from);
		digits = close ? (size_t)(close - r->in.ptr) - from - 1 : 0;
		c = hex_value(r->in, from + 1, digits);
		r->at = c < 0 ? r->at : from + digits + 2;
	} else {
		c = hex_value(r->in, from, digits);
		r->at = c < 0 ? r->at : from + digits;
	}
	if (c < 0 || c > 0x10FFFF)
		return refuse(r, 6, "is no code point: write \\u and four hex digits");
	if (c >= 0xD800 && c <= 0xDBFF && peek(r, 0) == '\\' && peek(r, 1) == 'u') {
		low = hex_value(r->in, r->at + 2, 4);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			r->at += 6;
		}
	}
	if (c >= 0xD800 && c <= 0xDFFF)
		c = 0xFFFD; /* as texts are read */
	buf_addf(r->out, "\\x{%lx}", (unsigned long)c);
	return 0;
}

/* \p{…} and \P{…}: PCRE2's names for what ECMAScript calls otherwise. */
static int
add_property(struct reader *r)
{
	const char *close = memchr(r->in.ptr + r->at, '}', r->in.len - r->at);
	static const char *const general[] = {"General_Category=", "gc="};
	struct slice name;

	if (peek(r, 2) != '{' || close == NULL)
		return refuse(r, 3, "needs a property in braces, like \\p{L}");
	name = (struct slice){r->in.ptr + r->at + 3, (size_t)(close - r->in.ptr) - r->at - 3};
	for (size_t i = 0; i < 2; i++)
		if (slice_starts(name, general[i])) {
			name.ptr += strlen(general[i]);
			name.len -= strlen(general[i]);
		}
	buf_addf(r->out, "\\%c{", peek(r, 1));
	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++)
		if (slice_is(name, categories[i][0]))
			name = slice(categories[i][1]);
	buf_addslice(r->out, name);
	buf_addc(r->out, '}');
	r->at = (size_t)(close - r->in.ptr) + 1;
	return 0;
}

static int
add_letter(struct reader *r, char c)
{
	const char *text = NULL;
	char same[3] = {'\\', c, '\0'};

	if (strchr(r->class ? "dDwWSntrf" : "dDwWbBntrf", c) != NULL)
		text = same;
	else if (c == 's')
		text = r->class ? SPACE : "[" SPACE "]";
	else if (c == 'S')
		text = "[^" SPACE "]";
	else if (c == 'v')
		text = "\\x0b";
	else if (c == 'b')
		text = "\\x08";
	else if (c == 'k' && peek(r, 2) == '<')
		text = "\\k";
	if (text == NULL)
		return refuse(r, 2, c == 'A' || c == 'z' || c == 'Z' ?
		    "is no escape of ECMAScript: the ends are ^ and $" :
		    "is no escape of ECMAScript: write the character itself");
	buf_adds(r->out, text);
	r->at += 2;
	return 0;
}

static int
add_escape(struct reader *r)
{
	char c = peek(r, 1);

	if (r->at + 1 == r->in.len)
		return refuse(r, 1, "escapes nothing at the end");
	if (c == 'x' || c == 'u')
		return add_code(r);
	if (c == 'p' || c == 'P')
		return add_property(r);
	if (c == 'c' && isalpha((unsigned char)peek(r, 2))) {
		buf_addf(r->out, "\\x%02x", peek(r, 2) & 31);
		r->at += 3;
		return 0;
	}
	if (c == '0' && !isdigit((unsigned char)peek(r, 2))) {
		buf_adds(r->out, "\\x00");
		r->at += 2;
		return 0;
	}
	if (c >= '1' && c <= '9' && !r->class) {
		buf_adds(r->out, "\\g{");
		for (r->at++; isdigit((unsigned char)peek(r, 0)); r->at++)
			buf_addc(r->out, peek(r, 0));
		buf_addc(r->out, '}');
		return 0;
	}
	if (isalnum((unsigned char)c))
		return add_letter(r, c);
	if ((unsigned char)c < 128)
		buf_addc(r->out, '\\');
	buf_addc(r->out, c);
	r->at += 2;
	return 0;
}

/* At a '(': only what ECMAScript has, and (?i). */
static int
add_group(struct reader *r)
{
	static const char *const known[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i)", "(?i:"};
	struct slice rest = {r->in.ptr + r->at, r->in.len - r->at};
	bool fine = peek(r, 1) != '?' && peek(r, 1) != '*';

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		fine = fine || slice_starts(rest, known[i]);
	if (peek(r, 1) == '?' && peek(r, 2) == '<' &&
	    (isalpha((unsigned char)peek(r, 3)) || peek(r, 3) == '_'))
		fine = true;
	if (!fine)
		return refuse(r, 3, "opens no group of ECMAScript");
	buf_addc(r->out, '(');
	if (peek(r, 1) == '?')
		buf_addc(r->out, '?');
	r->at += peek(r, 1) == '?' ? 2 : 1;
	return 0;
}

static void
open_class(struct reader *r)
{
	if (peek(r, 1) == ']') {
		buf_adds(r->out, "(?!)");
		r->at += 2;
	} else if (peek(r, 1) == '^' && peek(r, 2) == ']') {
		buf_adds(r->out, "(?s:.)");
		r->at += 3;
	} else {
		r->class = true;
		buf_addc(r->out, '[');
		r->at++;
		if (peek(r, 0) == '^') {
			buf_addc(r->out, '^');
			r->at++;
		}
	}
}

static int
translate(struct reader *r, bool *start_only)
{
	size_t depth = 0;

	*start_only = peek(r, 0) == '^' && strchr("?*+{", peek(r, 1)) == NULL;
	while (r->at < r->in.len) {
		char c = peek(r, 0);

		if (c == '\\') {
			if (add_escape(r) != 0)
				return -1;
			continue;
		}
		if (!r->class && c == '(') {
			depth++;
			if (add_group(r) != 0)
				return -1;
			continue;
		}
		if (!r->class && c == '[') {
			open_class(r);
			continue;
		}
		if (r->class && c == ']')
			r->class = false;
		else if (!r->class && c == ')' && depth > 0)
			depth--;
		else if (!r->class && c == '|' && depth == 0)
			*start_only = false;
		if (r->class && c == '[')
			buf_adds(r->out, "\\[");
		else if (!r->class && c == '.')
			buf_adds(r->out, "[^\\n\\r\\x{2028}\\x{2029}]");
		else if (!r->class && c == '$')
			buf_adds(r->out, "\\z");
		else
			buf_addc(r->out, c);
		r->at++;
	}
	return 0;
}

struct pattern *
pattern_open(struct slice ecma, struct err *e)
{
	struct buf out = {0};
	struct reader r = {.in = ecma, .out = &out, .e = e};
	struct pattern *p = xcalloc(1, sizeof(*p));
	struct regex *free_start;

	buf_room(&out, ecma.len);
	out.ptr[0] = '\0';
	if (translate(&r, &p->start_only) == 0)
		p->re = regex_compile(buf_slice(&out), REGEX_ANCHORED, e);
	/* What can begin a match is known of patterns that may begin anywhere only. */
	free_start = p->re ? regex_compile(buf_slice(&out), 0, NULL) : NULL;
	p->bytes = free_start != NULL && regex_first(free_start, p->first);
	regex_free(free_start);
	buf_free(&out);
	if (p->re != NULL)
		return p;
	pattern_free(p);
	return NULL;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	regex_free(p->re);
	free(p);
}

/* Looks at the clock at every 16th match, one of which takes 10 ms at most. */
static bool
late(struct pattern_clock *clock)
{
	struct timespec now;
	long long ns;

	if (clock->matches++ % 16 != 0)
		return false;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	if (clock->until == 0)
		clock->until = ns + PATTERN_TIME * 1000000LL;
	return ns > clock->until;
}

int
pattern_test(struct pattern *p, struct slice text, struct pattern_clock *clock)
{
	struct regex_subject subject;
	int found;

	if (regex_subject(&subject, text, NULL) != 0)
		return -1;
	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && ((unsigned char)text.ptr[i] & 0xC0) == 0x80)
			continue;
		if (p->bytes && (i == text.len || !p->first[(unsigned char)text.ptr[i]]))
			continue;
		if (late(clock))
			return -1;
		found = regex_match(p->re, &subject, i, NULL);
		if (found != 0 || p->start_only)
			return found;
	}
	return 0;
}
