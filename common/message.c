#include "common/message_parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

int
message_dialect_of(struct slice format)
{
	static const struct {
		const char *word;
		unsigned dialect;
	} known[] = {{"", MESSAGE_ICU}, {"icu", MESSAGE_ICU}, {"printf", MESSAGE_PRINTF},
	    {"i18next", MESSAGE_I18NEXT}, {"plain", MESSAGE_PLAIN}, {"arb", MESSAGE_ARB},
	    {"arb-escaping", MESSAGE_ARB | MESSAGE_ESCAPING},
	    {"arb-relaxed", MESSAGE_ARB | MESSAGE_RELAXED},
	    {"arb-escaping-relaxed", MESSAGE_ARB | MESSAGE_ESCAPING | MESSAGE_RELAXED}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(format, known[i].word))
			return (int)known[i].dialect;
	return -1;
}

/* ---- building ---- */

int
message_wrong(struct message_reader *r, size_t at, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err_set(r->e, "bad_message", "%s", text);
	if (r->e) {
		r->e->line = 0;
		r->e->column = at + 1;
	}
	return -1;
}

long
message_add(struct message_reader *r, enum message_type type, size_t start, size_t end,
    struct slice name)
{
	if (r->n == MESSAGE_NODES)
		return message_wrong(r, start, "the message has more than %d parts", MESSAGE_NODES);
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 8;
		struct message_node *nodes = arena_alloc(r->arena, cap * sizeof(*nodes));

		if (r->n)
			memcpy(nodes, r->nodes, r->n * sizeof(*nodes));
		r->nodes = nodes;
		r->cap = cap;
	}
	r->nodes[r->n] = (struct message_node){.type = type, .size = 1, .start = start,
	    .end = end, .name = name, .style = {"", 0}};
	return (long)r->n++;
}

/* ---- tags ---- */

/* HTML elements without content: <br> is <br/>. */
static bool
is_void(struct slice name)
{
	static const char *const known[] = {"br", "hr", "img", "input", "wbr"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (name.len == strlen(known[i]) && strncasecmp(name.ptr, known[i], name.len) == 0)
			return true;
	return false;
}

/* The '>' that ends a tag whose name ends at `at`, or end; SIZE_MAX: a '<' comes first. */
static size_t
tag_end(const char *text, size_t at, size_t end)
{
	char quote = 0;

	for (; at < end && (quote || text[at] != '>'); at++) {
		if (text[at] == quote)
			quote = 0;
		else if (!quote && (text[at] == '"' || text[at] == '\''))
			quote = text[at];
		else if (!quote && text[at] == '<')
			return SIZE_MAX;
	}
	return at;
}

/*
 * Whether what stands between a tag's name and its end are attributes (with a
 * '=' at least, so that "<your name>" stays prose) or nothing.
 */
static bool
is_tag_inside(struct slice inside, bool *attributes)
{
	*attributes = inside.len && memchr(inside.ptr, '=', inside.len);
	if (*attributes)
		return isspace((unsigned char)*inside.ptr);
	return slice_trim(inside).len == 0;
}

/*
 * Whether a tag's name stands at `at`. <1>, </1>, <1/> are tags, too: what
 * react-i18next's Trans puts its components in.
 */
static bool
is_tag_name(const char *text, size_t at, size_t end)
{
	size_t i = at;

	if (at < end && isalpha((unsigned char)text[at]))
		return true;
	while (i < end && i < at + 3 && isdigit((unsigned char)text[i]))
		i++;
	return i > at && i < end && (text[i] == '>' || (text[i] == '/' && i + 1 < end &&
							   text[i + 1] == '>'));
}

/* Whether a tag starts at the '<' in [at, end): its end, name and type. */
static bool
find_tag(const char *text, size_t at, size_t end, bool before_placeholder, size_t *stop,
    struct slice *name, enum message_type *type)
{
	size_t i = at + 1, begin, close;
	bool closing = i < end && text[i] == '/', attributes;

	begin = i += closing;
	if (!is_tag_name(text, i, end))
		return false;
	while (i < end && (isalnum((unsigned char)text[i]) || text[i] == '-' || text[i] == ':'))
		i++;
	*name = (struct slice){text + begin, i - begin};
	close = tag_end(text, i, end);
	if (close == SIZE_MAX)
		return false;
	bool self = close < end && close > i && text[close - 1] == '/';
	if (!is_tag_inside((struct slice){text + i, close - i - self}, &attributes))
		return false;
	/* An attribute may go on in a placeholder; nothing else may stay open. */
	if (close == end && !(before_placeholder && attributes && !closing))
		return false;
	*stop = close < end ? close + 1 : end;
	*type = closing ? MESSAGE_CLOSE : self || is_void(*name) ? MESSAGE_SELF : MESSAGE_OPEN;
	return true;
}

int
message_add_text(struct message_reader *r, size_t start, size_t end, bool before_placeholder)
{
	const char *text = r->text.ptr, *hit;
	size_t from = start, at = start, stop;
	struct slice name;
	enum message_type type;
	const struct slice none = {"", 0};

	if (r->in_tag && start < end) {
		hit = memchr(text + start, '>', end - start);
		from = at = hit ? (size_t)(hit - text) + 1 : end;
		r->in_tag = !hit && before_placeholder;
		if (message_add(r, MESSAGE_REST, start, from, none) < 0)
			return -1;
	}
	while (at < end && (hit = memchr(text + at, '<', end - at))) {
		at = (size_t)(hit - text);
		if (!find_tag(text, at, end, before_placeholder, &stop, &name, &type)) {
			at++;
			continue;
		}
		if (at > from && message_add(r, MESSAGE_TEXT, from, at, none) < 0)
			return -1;
		if (message_add(r, type, at, stop, name) < 0)
			return -1;
		/* It ends the text without ending itself: only before a placeholder. */
		r->in_tag = stop == end && text[end - 1] != '>';
		from = at = stop;
	}
	if (end > from && message_add(r, MESSAGE_TEXT, from, end, none) < 0)
		return -1;
	return 0;
}

int
message_parse(struct slice text, unsigned dialect, struct arena *arena, struct message *m,
    struct err *e)
{
	struct message_reader r = {.text = text, .dialect = dialect, .arena = arena, .e = e};
	int status;

	switch (message_base(dialect)) {
	case MESSAGE_PRINTF:
		status = message_read_printf(&r);
		break;
	case MESSAGE_I18NEXT:
		status = message_read_i18next(&r);
		break;
	case MESSAGE_PLAIN:
		status = message_add_text(&r, 0, text.len, false);
		break;
	default:
		status = message_read_icu(&r);
	}
	*m = (struct message){.text = text, .dialect = dialect, .nodes = r.nodes,
	    .n = status < 0 ? 0 : r.n};
	return status;
}

/* ---- asking ---- */

bool
message_branches(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type >= MESSAGE_PLURAL && m->nodes[i].type <= MESSAGE_SELECT)
			return true;
	return false;
}

bool
message_is_plain(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->nodes[i].type != MESSAGE_TEXT && m->nodes[i].type < MESSAGE_OPEN)
			return false;
	return true;
}

size_t
message_placeholders(const struct message *m, struct arena *arena,
    struct message_placeholder **out)
{
	static const char *const words[] = {[MESSAGE_PLURAL] = "plural",
	    [MESSAGE_ORDINAL] = "selectordinal", [MESSAGE_SELECT] = "select"};
	struct message_placeholder *v = arena_alloc(arena, (m->n + 1) * sizeof(*v));
	size_t n = 0, k;

	for (size_t i = 0; i < m->n; i++) {
		const struct message_node *node = &m->nodes[i];

		if (node->type < MESSAGE_PLACEHOLDER || node->type > MESSAGE_SELECT)
			continue;
		for (k = 0; k < n && !slice_eq(v[k].name, node->name); k++)
			;
		if (k == n)
			v[n++] = (struct message_placeholder){.name = node->name,
			    .type = node->type, .style = {"", 0}};
		v[k].count++;
		bool branch = node->type >= MESSAGE_PLURAL;
		if (!v[k].style.len || (!branch && v[k].type >= MESSAGE_PLURAL && node->style.len))
			v[k].style = branch ? slice(words[node->type]) : node->style;
	}
	*out = v;
	return n;
}
