#include "common/message_parse.h"

#include <ctype.h>
#include <stdio.h>

/* printf's conversions (C, XSI positions, Python's names, Apple's %@), and i18next. */

static char
at(const struct message_reader *r, size_t i)
{
	return i < r->text.len ? r->text.ptr[i] : '\0';
}

static size_t
digits(const struct message_reader *r, size_t i)
{
	while (isdigit((unsigned char)at(r, i)))
		i++;
	return i;
}

static bool
is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Width or precision; a star takes an argument of its own. */
static size_t
skip_number(const struct message_reader *r, size_t i, unsigned *arguments)
{
	if (at(r, i) != '*')
		return digits(r, i);
	size_t end = digits(r, i + 1);
	if (end > i + 1 && at(r, end) == '$')
		return end + 1;
	++*arguments;
	return i + 1;
}

/*
 * Reads one conversion at the '%' and adds its node. *arguments counts those
 * that take the next argument, which is their name.
 */
static int
read_conversion(struct message_reader *r, unsigned *arguments)
{
	size_t start = r->at, i = start + 1, end = digits(r, i);
	struct slice name = {"", 0};
	char number[16];

	if (at(r, i) == '(') {
		const char *close = memchr(r->text.ptr + i, ')', r->text.len - i);
		if (!close)
			return message_wrong(r, start, "')' is missing after '%%('");
		name = (struct slice){r->text.ptr + i + 1, (size_t)(close - r->text.ptr) - i - 1};
		i += name.len + 2;
	} else if (end > i && at(r, end) == '$') {
		name = (struct slice){r->text.ptr + i, end - i};
		i = end + 1;
	}
	while (is_one_of(at(r, i), "-+ #0'I"))
		i++;
	i = skip_number(r, i, arguments);
	if (at(r, i) == '.')
		i = skip_number(r, i + 1, arguments);
	size_t style = i;
	while (is_one_of(at(r, i), "hlLqjzt"))
		i++;
	if (!is_one_of(at(r, i), "diouxXeEfFgGaAcCsSp@"))
		return message_wrong(r, start, "'%%' starts no conversion: write %%%%");
	i++;
	if (!name.len) {
		snprintf(number, sizeof(number), "%u", ++*arguments);
		name = slice(arena_copy(r->arena, number, strlen(number)));
	}
	long node = message_add(r, MESSAGE_PLACEHOLDER, start, i, name);
	if (node < 0)
		return -1;
	r->nodes[node].style = (struct slice){r->text.ptr + style, i - style};
	r->at = i;
	return 0;
}

int
message_read_printf(struct message_reader *r)
{
	unsigned arguments = 0;
	size_t from = 0;

	while (r->at < r->text.len) {
		const char *hit = memchr(r->text.ptr + r->at, '%', r->text.len - r->at);

		if (!hit)
			break;
		r->at = (size_t)(hit - r->text.ptr);
		if (at(r, r->at + 1) == '%') {
			r->at += 2;
			continue;
		}
		if (message_add_text(r, from, r->at, true) < 0 ||
		    read_conversion(r, &arguments) < 0)
			return -1;
		from = r->at;
	}
	return message_add_text(r, from, r->text.len, false);
}

/* {{name}}, {{- name}}, {{name, format}}: from the first brace. */
static int
read_interpolation(struct message_reader *r)
{
	size_t start = r->at, end = start + 2;

	while (end + 1 < r->text.len && !(at(r, end) == '}' && at(r, end + 1) == '}'))
		end++;
	if (end + 1 >= r->text.len)
		return message_wrong(r, start, "'}}' is missing");
	struct slice inner = slice_trim((struct slice){r->text.ptr + start + 2, end - start - 2});
	if (inner.len && *inner.ptr == '-')
		inner = slice_trim((struct slice){inner.ptr + 1, inner.len - 1});
	const char *comma = inner.len ? memchr(inner.ptr, ',', inner.len) : NULL;
	struct slice name = {inner.ptr, comma ? (size_t)(comma - inner.ptr) : inner.len};
	name = slice_trim(name);
	if (!name.len)
		return message_wrong(r, start, "the placeholder has no name");
	long node = message_add(r, MESSAGE_PLACEHOLDER, start, end + 2, name);
	if (node < 0)
		return -1;
	if (comma)
		r->nodes[node].style = slice_trim((struct slice){comma + 1,
		    inner.len - (size_t)(comma + 1 - inner.ptr)});
	r->at = end + 2;
	return 0;
}

/* $t(key): one placeholder, named by all that stands in its brackets. */
static int
read_nesting(struct message_reader *r)
{
	size_t start = r->at, i = start + 3;
	unsigned open = 1;

	for (; i < r->text.len && open; i++)
		open += (at(r, i) == '(') - (unsigned)(at(r, i) == ')');
	if (open)
		return message_wrong(r, start, "')' is missing after '$t('");
	long node = message_add(r, MESSAGE_PLACEHOLDER, start, i,
	    (struct slice){r->text.ptr + start + 3, i - start - 4});
	if (node < 0)
		return -1;
	r->nodes[node].style = S("$t");
	r->at = i;
	return 0;
}

int
message_read_i18next(struct message_reader *r)
{
	size_t from = 0;

	while (r->at < r->text.len) {
		char c = at(r, r->at);
		bool nesting = c == '$' && at(r, r->at + 1) == 't' && at(r, r->at + 2) == '(';

		if (!nesting && !(c == '{' && at(r, r->at + 1) == '{')) {
			r->at++;
			continue;
		}
		if (message_add_text(r, from, r->at, true) < 0 ||
		    (nesting ? read_nesting(r) : read_interpolation(r)) < 0)
			return -1;
		from = r->at;
	}
	return message_add_text(r, from, r->text.len, false);
}
