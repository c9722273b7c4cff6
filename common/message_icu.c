#include "common/message_parse.h"

#include "common/plural.h"

#include <ctype.h>

/*
 * ICU MessageFormat, and the part of it that Flutter's gen-l10n reads. Where
 * ICU and the formatjs parser differ the stricter one is followed, except
 * that what is merely useless (a case that is never taken, one case twice) is
 * for message_check to say.
 */

static bool
is_arb(const struct message_reader *r)
{
	return message_base(r->dialect) == MESSAGE_ARB;
}

static char
peek(const struct message_reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool
ended(const struct message_reader *r)
{
	return r->at >= r->text.len;
}

/* Unicode Pattern_White_Space, the bytes of its next character or 0. */
static size_t
white(struct slice text, size_t at)
{
	uint32_t c;
	size_t n = at < text.len ? utf8_decode(text.ptr + at, text.len - at, &c) : 0;

	if (!n)
		return 0;
	return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0x200e || c == 0x200f ||
		c == 0x2028 || c == 0x2029
	    ? n
	    : 0;
}

static void
blank(struct message_reader *r)
{
	size_t n;

	while ((n = white(r->text, r->at)))
		r->at += n;
}

/* Unicode Pattern_Syntax (UAX 31): stable for ever, so it may stand here. */
static bool
is_syntax(uint32_t c)
{
	static const uint32_t ranges[][2] = {{0x21, 0x2f}, {0x3a, 0x40}, {0x5b, 0x5e},
	    {0x60, 0x60}, {0x7b, 0x7e}, {0xa1, 0xa7}, {0xa9, 0xa9}, {0xab, 0xac}, {0xae, 0xae},
	    {0xb0, 0xb1}, {0xb6, 0xb6}, {0xbb, 0xbb}, {0xbf, 0xbf}, {0xd7, 0xd7}, {0xf7, 0xf7},
	    {0x2010, 0x2027}, {0x2030, 0x203e}, {0x2041, 0x2053}, {0x2055, 0x205e},
	    {0x2190, 0x245f}, {0x2500, 0x2775}, {0x2794, 0x2bff}, {0x2e00, 0x2e7f},
	    {0x3001, 0x3003}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0xfd3e, 0xfd3f},
	    {0xfe45, 0xfe46}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* A name's end from at: at itself where no name starts. */
static size_t
name_end(struct slice text, size_t at, bool arb)
{
	uint32_t c;
	size_t n;

	while (at < text.len) {
		unsigned char byte = (unsigned char)text.ptr[at];

		if (arb || byte < 0x80) {
			if (!isalnum(byte) && byte != '_' &&
			    (arb || is_syntax(byte) || byte <= ' ' || byte == 0x7f))
				break;
			at++;
			continue;
		}
		n = utf8_decode(text.ptr + at, text.len - at, &c);
		if (!n || is_syntax(c) || white(text, at))
			break;
		at += n;
	}
	return at;
}

static struct slice
name(struct message_reader *r)
{
	size_t start = r->at;

	r->at = name_end(r->text, start, is_arb(r));
	return (struct slice){r->text.ptr + start, r->at - start};
}

bool
message_name_follows(struct slice text, size_t brace)
{
	size_t at = brace + 1, n, start;

	while ((n = white(text, at)))
		at += n;
	start = at;
	at = name_end(text, at, true);
	if (at == start || isdigit((unsigned char)text.ptr[start]))
		return false;
	while ((n = white(text, at)))
		at += n;
	return at < text.len && (text.ptr[at] == '}' || text.ptr[at] == ',');
}

size_t
message_quoted_end(struct slice text, size_t at, unsigned dialect, bool pound)
{
	char next = at + 1 < text.len ? text.ptr[at + 1] : '\0';
	size_t i;

	if (message_base(dialect) == MESSAGE_ARB) {
		const char *close;

		if (!(dialect & MESSAGE_ESCAPING))
			return at + 1;
		close = memchr(text.ptr + at + 1, '\'', text.len - at - 1);
		return close ? (size_t)(close - text.ptr) + 1 : SIZE_MAX;
	}
	if (next == '\'')
		return at + 2;
	if (next != '{' && next != '}' && !(pound && next == '#'))
		return at + 1;
	for (i = at + 2; i < text.len; i++) {
		if (text.ptr[i] != '\'')
			continue;
		if (i + 1 == text.len || text.ptr[i + 1] != '\'')
			return i + 1;
		i++;
	}
	return text.len; /* never closed: ICU quotes up to the end */
}

static int read_message(struct message_reader *, bool nested, const struct message_node *plural);

/* The style of {n, number, …}: up to its brace, kept as it is. */
static int
skip_style(struct message_reader *r, size_t brace)
{
	unsigned open = 0;

	for (; !ended(r); r->at++) {
		char c = peek(r);

		if (c == '\'') {
			const char *close = memchr(r->text.ptr + r->at + 1, '\'',
			    r->text.len - r->at - 1);
			if (!close)
				return message_wrong(r, r->at, "the apostrophe is never closed");
			r->at = (size_t)(close - r->text.ptr);
		} else if (c == '{') {
			open++;
		} else if (c == '}' && open-- == 0) {
			return 0;
		}
	}
	return message_wrong(r, brace, "'}' is missing");
}

static int
read_simple(struct message_reader *r, size_t node, struct slice type, size_t type_at)
{
	static const char *const known[] = {"number", "date", "time", "spellout", "ordinal",
	    "duration", "list", "choice", NULL};
	size_t i, brace = r->nodes[node].start;

	for (i = 0; known[i] && !slice_is(type, known[i]); i++)
		;
	if (!known[i] || (is_arb(r) && i != 1 && i != 2))
		return message_wrong(r, type_at, "unknown argument type, '%.*s'",
		    (int)(type.len > 40 ? 40 : type.len), type.ptr);
	r->nodes[node].style = type;
	blank(r);
	if (peek(r) == ',') {
		r->at++;
		blank(r);
		if (peek(r) == '}')
			return message_wrong(r, r->at, "the style after the comma is missing");
		if (skip_style(r, brace) < 0)
			return -1;
	}
	if (ended(r) || peek(r) != '}')
		return message_wrong(r, ended(r) ? brace : r->at, "'}' is missing");
	r->at++;
	r->nodes[node].end = r->at;
	return 0;
}

/* "one", "=1", "male": the words that may stand before a case's brace. */
static int
read_selector(struct message_reader *r, bool select, struct slice *out)
{
	size_t start = r->at;

	if (!select && peek(r) == '=') {
		r->at++;
		if (peek(r) == '-')
			r->at++;
		size_t digits = r->at;
		while (isdigit((unsigned char)peek(r)))
			r->at++;
		if (r->at == digits)
			return message_wrong(r, start, "a number is missing after '='");
		*out = (struct slice){r->text.ptr + start, r->at - start};
		if (is_arb(r) &&
		    !(slice_is(*out, "=0") || slice_is(*out, "=1") || slice_is(*out, "=2")))
			return message_wrong(r, start, "gen-l10n knows only =0, =1 and =2");
		return 0;
	}
	*out = name(r);
	if (!out->len)
		return message_wrong(r, start, select ? "the name of a case is missing"
						      : "a plural category or =number is missing");
	if (!select && is_arb(r) && plural_of_name(*out) < 0)
		return message_wrong(r, start, "unknown plural category, '%.*s'",
		    (int)(out->len > 40 ? 40 : out->len), out->ptr);
	return 0;
}

static int
read_offset(struct message_reader *r, size_t node)
{
	struct slice rest = {r->text.ptr + r->at, r->text.len - r->at};

	if (!slice_starts(rest, "offset:"))
		return 0;
	if (is_arb(r))
		return message_wrong(r, r->at, "gen-l10n knows no offset:");
	r->at += 7;
	blank(r);
	if (!isdigit((unsigned char)peek(r)))
		return message_wrong(r, r->at, "a number is missing after offset:");
	for (; isdigit((unsigned char)peek(r)); r->at++)
		if (r->nodes[node].offset < 1000000000)
			r->nodes[node].offset = r->nodes[node].offset * 10 +
			    (unsigned long)(peek(r) - '0');
	blank(r);
	return 0;
}

/* The cases of a plural or select, from after the comma. */
static int
read_cases(struct message_reader *r, size_t node)
{
	/* Nodes move when the array grows: keep a copy for the cases. */
	struct message_node head;
	bool select = r->nodes[node].type == MESSAGE_SELECT, other = false;
	struct slice selector;

	blank(r);
	if (!select && read_offset(r, node) < 0)
		return -1;
	head = r->nodes[node];
	for (blank(r); !ended(r) && peek(r) != '}'; blank(r)) {
		size_t start = r->at;

		if (read_selector(r, select, &selector) < 0)
			return -1;
		blank(r);
		if (peek(r) != '{')
			return message_wrong(r, r->at, "'{' is missing after '%.*s'",
			    (int)(selector.len > 40 ? 40 : selector.len), selector.ptr);
		r->at++;
		long at = message_add(r, MESSAGE_CASE, start, 0, selector);
		r->in_tag = false;
		if (at < 0 || read_message(r, true, select ? NULL : &head) < 0)
			return -1;
		r->in_tag = false;
		if (ended(r))
			return message_wrong(r, start, "the case '%.*s' is never closed",
			    (int)(selector.len > 40 ? 40 : selector.len), selector.ptr);
		r->at++;
		r->nodes[at].end = r->at;
		r->nodes[at].size = (unsigned)(r->n - (size_t)at);
		other |= slice_is(selector, "other");
	}
	if (ended(r))
		return message_wrong(r, head.start, "'}' is missing");
	if (!other)
		return message_wrong(r, r->at, "the case 'other' is missing");
	r->at++;
	r->nodes[node].end = r->at;
	r->nodes[node].size = (unsigned)(r->n - node);
	return 0;
}

static int
read_typed(struct message_reader *r, size_t node)
{
	size_t type_at;
	struct slice type;

	r->at++; /* the comma */
	blank(r);
	type_at = r->at;
	type = name(r);
	if (slice_is(type, "plural"))
		r->nodes[node].type = MESSAGE_PLURAL;
	else if (slice_is(type, "selectordinal") && !is_arb(r))
		r->nodes[node].type = MESSAGE_ORDINAL;
	else if (slice_is(type, "select"))
		r->nodes[node].type = MESSAGE_SELECT;
	else if (type.len)
		return read_simple(r, node, type, type_at);
	else
		return message_wrong(r, type_at, "the argument's type is missing");
	blank(r);
	if (peek(r) != ',')
		return message_wrong(r, r->at, "the cases of the %.*s are missing", (int)type.len,
		    type.ptr);
	r->at++;
	if (++r->depth > MESSAGE_DEPTH)
		return message_wrong(r, type_at,
		    "more than %d plurals and selects within each other", MESSAGE_DEPTH);
	if (read_cases(r, node) < 0)
		return -1;
	r->depth--;
	return 0;
}

static int
read_argument(struct message_reader *r)
{
	size_t brace = r->at++, start;
	struct slice id;

	blank(r);
	start = r->at;
	id = name(r);
	bool digit = id.len && isdigit((unsigned char)*id.ptr);
	if (!id.len)
		return message_wrong(r, brace, ended(r) ? "'}' is missing"
		    : peek(r) == '}' ? "the placeholder has no name"
				     : "a placeholder's name cannot start like this");
	if (digit && is_arb(r))
		return message_wrong(r, start, "gen-l10n knows no numbered placeholders, '%.*s'",
		    (int)(id.len > 40 ? 40 : id.len), id.ptr);
	for (size_t i = 0; digit && i < id.len; i++)
		if (!isdigit((unsigned char)id.ptr[i]))
			return message_wrong(
			    r, start, "a placeholder's name cannot start with a digit");
	blank(r);
	long node = message_add(r, MESSAGE_PLACEHOLDER, brace, 0, id);
	if (node < 0)
		return -1;
	if (peek(r) == ',')
		return read_typed(r, (size_t)node);
	if (ended(r))
		return message_wrong(r, brace, "'}' is missing");
	if (peek(r) != '}')
		return message_wrong(r, r->at, "a placeholder is one name");
	r->at++;
	r->nodes[node].end = r->at;
	return 0;
}

/*
 * One message: up to the end of the text, or nested up to the brace that
 * closes its case. plural: the plural whose case this is (# is its number).
 */
static int
read_message(struct message_reader *r, bool nested, const struct message_node *plural)
{
	bool arb = is_arb(r), relaxed = arb && (r->dialect & MESSAGE_RELAXED);
	bool pound = plural && !arb;
	size_t from = r->at;

	while (!ended(r)) {
		char c = peek(r);

		if (c == '\'') {
			size_t end = message_quoted_end(r->text, r->at, r->dialect, pound);
			if (end == SIZE_MAX)
				return message_wrong(r, r->at, "an apostrophe alone: write ''");
			r->at = end;
		} else if (c == '}' && nested) {
			break;
		} else if (c == '}' && arb && !relaxed) {
			return message_wrong(r, r->at, "'}' without '{'");
		} else if (c == '{' && (!relaxed || message_name_follows(r->text, r->at))) {
			if (message_add_text(r, from, r->at, true) < 0 || read_argument(r) < 0)
				return -1;
			from = r->at;
		} else if (c == '#' && pound) {
			if (message_add_text(r, from, r->at, true) < 0 ||
			    message_add(r, MESSAGE_POUND, r->at, r->at + 1, plural->name) < 0)
				return -1;
			from = ++r->at;
		} else {
			r->at++;
		}
	}
	return message_add_text(r, from, r->at, false);
}

int
message_read_icu(struct message_reader *r)
{
	return read_message(r, false, NULL);
}
