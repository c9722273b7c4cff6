#include "common/glob.h"

#include "common/mem.h"

#include <stdlib.h>

/* ---- one pattern ---- */

typedef bool glob_class(unsigned char c);

/* The C locale's classes: the answer must not depend on the user's. */
static bool is_alpha(unsigned char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_alnum(unsigned char c) { return is_alpha(c) || is_digit(c); }
static bool is_blank(unsigned char c) { return c == ' ' || c == '\t'; }
static bool is_cntrl(unsigned char c) { return c < 32 || c == 127; }
static bool is_graph(unsigned char c) { return c > 32 && c < 127; }
static bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
static bool is_print(unsigned char c) { return c >= 32 && c < 127; }
static bool is_punct(unsigned char c) { return is_graph(c) && !is_alnum(c); }
static bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
static bool is_hex(unsigned char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

static glob_class *
class_named(struct slice name)
{
	static const struct {
		const char *name;
		glob_class *test;
	} classes[] = {{"alnum", is_alnum}, {"alpha", is_alpha}, {"blank", is_blank},
	    {"cntrl", is_cntrl}, {"digit", is_digit}, {"graph", is_graph}, {"lower", is_lower},
	    {"print", is_print}, {"punct", is_punct}, {"space", is_space}, {"upper", is_upper},
	    {"xdigit", is_hex}};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (slice_is(name, classes[i].name))
			return classes[i].test;
	return NULL;
}

/* Where reading a pattern stands. Past the end every byte reads as NUL, which no pattern holds. */
struct cursor {
	const char *at, *end;
};

static unsigned char
peek(const struct cursor *c, size_t ahead)
{
	return (size_t)(c->end - c->at) > ahead ? (unsigned char)c->at[ahead] : 0;
}

/*
 * `[:name:]` at the cursor, which stands on its '[': 1 when c is of the class, 0 when not, -1 when
 * there is no such class, -2 when this is no class at all but a plain '['.
 */
static int
match_class(struct cursor *p, unsigned char c)
{
	const char *name = p->at + 2, *close = name;
	glob_class *test;

	while (close < p->end && *close != ']')
		close++;
	if (close == p->end)
		return -1;
	if (close == name || close[-1] != ':')
		return -2;
	test = class_named((struct slice){name, (size_t)(close - 1 - name)});
	if (test == NULL)
		return -1;
	p->at = close;
	return test(c);
}

/*
 * The bracket expression at the cursor, which stands on '[' and ends after ']': 1 when c is in
 * it, 0 when not, -1 when it is not well-formed. A ']' that comes first is an ordinary byte.
 */
static int
match_bracket(struct cursor *p, unsigned char c)
{
	bool negated, in = false;
	unsigned char low = 0, b;

	p->at++;
	negated = peek(p, 0) == '!' || peek(p, 0) == '^';
	p->at += negated;
	for (bool first = true; first || peek(p, 0) != ']'; first = false, p->at++) {
		if ((b = peek(p, 0)) == '\0')
			return -1;
		if (b == '[' && peek(p, 1) == ':') {
			int is = match_class(p, c);

			if (is == -1)
				return -1;
			in |= is == 1 || (is == -2 && c == '[');
			low = is == -2 ? '[' : 0;
			continue;
		}
		if (b == '-' && low && peek(p, 1) && peek(p, 1) != ']') {
			p->at += peek(p, 1) == '\\' ? 2 : 1;
			if ((b = peek(p, 0)) == '\0')
				return -1;
			in |= c >= low && c <= b;
			low = 0;
			continue;
		}
		if (b == '\\') {
			p->at++;
			if ((b = peek(p, 0)) == '\0')
				return -1;
		}
		in |= c == b;
		low = b;
	}
	p->at++;
	return in != negated && c != '/';
}

/* One pattern element against one byte of text: 1 with the cursor after it, 0, -1 never. */
static int
match_one(struct cursor *p, unsigned char c)
{
	switch (*p->at) {
	case '?':
		p->at++;
		return c != '/';
	case '[':
		return match_bracket(p, c);
	case '\\':
		if (++p->at == p->end)
			return -1;
		break;
	}
	return (unsigned char)*p->at++ == c;
}

/*
 * Two places to fall back to suffice. Between two stars the first way to match is as good as any:
 * the second star takes up what is left, `*` within its component and `**` anywhere. And since `*`
 * stays within a component, a component that fails is never mended by another star before it,
 * only by the last `**`.
 */
struct fallback {
	struct cursor pattern; /* what follows the star; at is NULL when there was none */
	const char *text;      /* where that is to be tried next */
};

/* Passes the stars at the cursor; tells whether they are a `**` that stands as a component. */
static bool
pass_stars(struct cursor *p, const char *begin)
{
	const char *stars = p->at;

	while (peek(p, 0) == '*')
		p->at++;
	return p->at - stars >= 2 && (stars == begin || stars[-1] == '/') &&
	    (p->at == p->end || *p->at == '/' || (*p->at == '\\' && peek(p, 1) == '/'));
}

bool
glob_match(struct slice pattern, struct slice path)
{
	struct cursor p = {pattern.ptr, pattern.ptr + pattern.len};
	struct fallback star = {{NULL, NULL}, NULL}, deep = star;
	const char *t = path.ptr, *end = path.ptr + path.len;

	for (;;) {
		if (p.at < p.end && *p.at == '*') {
			if (pass_stars(&p, pattern.ptr)) {
				if (p.at == p.end)
					return true;
				/* It may stand for no component at all, with its slash. */
				deep = (struct fallback){p, *p.at == '/' ? t : t + 1};
				p.at += *p.at == '/';
				star.pattern.at = NULL;
			} else {
				star = (struct fallback){p, t + 1};
			}
			continue;
		}
		if (t == end && p.at == p.end)
			return true;
		if (t < end && p.at < p.end) {
			int one = match_one(&p, (unsigned char)*t);

			if (one < 0)
				return false;
			if (one) {
				t++;
				continue;
			}
		}
		if (star.pattern.at != NULL && star.text <= end && star.text[-1] != '/') {
			t = star.text++;
			p = star.pattern;
		} else if (deep.pattern.at != NULL && deep.text <= end) {
			t = deep.text++;
			p = deep.pattern;
			star.pattern.at = NULL;
		} else {
			return false;
		}
	}
}

/* ---- lists ---- */

struct glob_pattern {
	char *text;
	size_t len;
	size_t literal; /* bytes before the first special one */
	size_t tail;	/* bytes that a match must end with: without special ones, or '/' */
	bool reverse, folder, anchored;
};

/* How many bytes have no special meaning. */
static size_t
literal_prefix(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr("*?[\\", text[i]) == NULL)
		i++;
	return i;
}

void
glob_add(struct glob_list *list, struct slice text)
{
	struct glob_pattern p = {.reverse = false};

	if (text.len && text.ptr[0] == '!') {
		p.reverse = true;
		text.ptr++, text.len--;
	}
	if (text.len && text.ptr[text.len - 1] == '/') {
		p.folder = true;
		text.len--;
	}
	p.anchored = memchr(text.ptr, '/', text.len) != NULL;
	if (text.len && text.ptr[0] == '/')
		text.ptr++, text.len--;
	if (text.len == 0)
		return;
	p.text = xstrndup(text.ptr, text.len);
	p.len = text.len;
	p.literal = literal_prefix(text.ptr, text.len);
	while (p.tail < p.len && strchr("*?[]\\/", text.ptr[p.len - p.tail - 1]) == NULL)
		p.tail++;
	list->v = xgrow(list->v, list->n, &list->cap, sizeof(*list->v));
	list->v[list->n++] = p;
}

/* Trailing spaces go, unless a backslash stands before them. */
static size_t
trimmed_length(const char *line, size_t len)
{
	size_t keep = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ')
			continue;
		if (line[i] == '\\' && i + 1 < len)
			i++;
		keep = i + 1;
	}
	return keep;
}

void
glob_add_lines(struct glob_list *list, struct slice text)
{
	if (slice_starts(text, "\xef\xbb\xbf"))
		text.ptr += 3, text.len -= 3;
	while (text.len) {
		const char *lf = memchr(text.ptr, '\n', text.len);
		size_t whole = lf ? (size_t)(lf - text.ptr) : text.len, len = whole;
		const char *nul = memchr(text.ptr, '\0', whole);

		if (nul != NULL)
			len = (size_t)(nul - text.ptr);
		else if (lf != NULL && len && text.ptr[len - 1] == '\r')
			len--;
		if (len && text.ptr[0] != '#')
			glob_add(list, (struct slice){text.ptr, trimmed_length(text.ptr, len)});
		whole += lf != NULL;
		text.ptr += whole, text.len -= whole;
	}
}

/*
 * git compares the literal beginning by itself and gives only the rest to the matcher, which then
 * takes a `**` at the start of that rest for a whole component: `a**` + `/b` matches ax/y/b. What
 * git does is what a repository's owner sees, so we do the same.
 */
static bool
pattern_matches(const struct glob_pattern *p, struct slice path)
{
	/* Nearly all patterns are settled by one of these. */
	if (path.len < p->literal || memcmp(path.ptr, p->text, p->literal) != 0)
		return false;
	if (path.len < p->tail ||
	    memcmp(path.ptr + path.len - p->tail, p->text + p->len - p->tail, p->tail) != 0)
		return false;
	if (p->literal == p->len)
		return path.len == p->len;
	return glob_match((struct slice){p->text + p->literal, p->len - p->literal},
	    (struct slice){path.ptr + p->literal, path.len - p->literal});
}

int
glob_decide(const struct glob_list *list, struct slice path, bool folder)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	struct slice base = path;

	if (slash != NULL)
		base = (struct slice){slash + 1, path.len - (size_t)(slash + 1 - path.ptr)};
	for (size_t i = list->n; i-- > 0;) {
		const struct glob_pattern *p = &list->v[i];

		if ((!p->folder || folder) && pattern_matches(p, p->anchored ? path : base))
			return p->reverse ? -1 : 1;
	}
	return 0;
}

void
glob_free(struct glob_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].text);
	free(list->v);
	*list = (struct glob_list){NULL, 0, 0};
}
