/* Conversions looked at, and texts with positions as ICU. */
#include "common/format/printf_part.h"

#include <ctype.h>

/* The position that a name tells: "2" of printf, "arg2"; 0: none. */
size_t
printf_told_position(struct slice name, bool printf_text)
{
	size_t n = 0;

	if (!printf_text) {
		if (!slice_starts(name, "arg"))
			return 0;
		name = (struct slice){name.ptr + 3, name.len - 3};
	}
	if (!name.len || name.len > 2 || *name.ptr == '0')
		return 0;
	for (size_t i = 0; i < name.len; i++) {
		if (!isdigit((unsigned char)name.ptr[i]))
			return 0;
		n = n * 10 + (size_t)(name.ptr[i] - '0');
	}
	return n <= PRINTF_ARGUMENTS ? n : 0;
}

/* Where a conversion's flags start: after % and the position. */
struct slice
printf_spec(struct slice conversion)
{
	size_t i = 1;

	while (i < conversion.len && isdigit((unsigned char)conversion.ptr[i]))
		i++;
	if (i < conversion.len && conversion.ptr[i] == '$')
		return (struct slice){conversion.ptr + i + 1, conversion.len - i - 1};
	if (conversion.len > 1 && conversion.ptr[1] == '(') {
		const char *close = memchr(conversion.ptr, ')', conversion.len);
		i = close ? (size_t)(close - conversion.ptr) + 1 : conversion.len;
		return (struct slice){conversion.ptr + i, conversion.len - i};
	}
	return (struct slice){conversion.ptr + 1, conversion.len - 1};
}

bool
printf_is(struct slice spec, const char *conversions)
{
	return spec.len && strchr(conversions, spec.ptr[spec.len - 1]);
}

bool
printf_is_number(struct slice spec)
{
	struct arena arena = {0};
	struct message m;
	struct buf b = {0};
	bool good;

	buf_addf(&b, "%%%.*s", (int)(spec.len < 40 ? spec.len : 40), spec.len ? spec.ptr : "");
	good = printf_is(spec, PRINTF_NUMBERS) &&
	    message_parse(buf_slice(&b), MESSAGE_PRINTF, &arena, &m, NULL) == 0 && m.n == 1 &&
	    m.nodes[0].type == MESSAGE_PLACEHOLDER && !memchr(b.ptr, '$', b.len) &&
	    !memchr(b.ptr, '*', b.len) && !memchr(b.ptr, '(', b.len);
	buf_free(&b);
	arena_free(&arena);
	return good;
}

/* -- and back -- */

struct naming {
	struct slice number;
	size_t position;
};

static bool
name_argument(const struct message *m, const struct message_node *node, void *state,
    struct buf *out)
{
	const struct naming *n = state;
	size_t position = printf_told_position(node->name, true);

	(void)m;
	if (!position)
		return false;
	if (position == n->position)
		buf_addf(out, "{%.*s}", (int)n->number.len, n->number.ptr);
	else
		buf_addf(out, "{arg%zu}", position);
	return true;
}

bool
printf_number(struct slice text, size_t *next, size_t number, struct buf *out)
{
	struct arena arena = {0};
	struct message m;
	size_t done = 0;
	bool good = message_parse(text, MESSAGE_PRINTF, &arena, &m, NULL) == 0;

	for (size_t i = 0; good && i < m.n; i++) {
		struct slice bytes = message_bytes(&m, &m.nodes[i]), spec;
		if (m.nodes[i].type != MESSAGE_PLACEHOLDER)
			continue;
		spec = printf_spec(bytes);
		buf_add(out, text.ptr + done, m.nodes[i].start - done);
		if (memchr(bytes.ptr, '$', bytes.len))
			buf_addslice(out, bytes);
		else
			buf_addf(out, "%%%zu$%.*s", number ? number : (*next)++, (int)spec.len,
			    spec.ptr);
		done = m.nodes[i].end;
	}
	buf_add(out, text.ptr + done, text.len - done);
	arena_free(&arena);
	return good;
}

/* The position of the first conversion of those kinds in a text; 0: none. */
static size_t
number_position(struct slice text, const char *conversions)
{
	struct arena arena = {0};
	struct message m;
	size_t position = 0;

	if (text.ptr && message_parse(text, MESSAGE_PRINTF, &arena, &m, NULL) == 0)
		for (size_t i = 0; i < m.n && !position; i++)
			if (m.nodes[i].type == MESSAGE_PLACEHOLDER &&
			    printf_is(m.nodes[i].style, conversions))
				position = printf_told_position(m.nodes[i].name, true);
	arena_free(&arena);
	return position;
}

bool
printf_join(const struct forms *forms, struct slice number, size_t position, struct slice locale,
    enum printf_flavour flavour, struct buf *out)
{
	struct naming naming = {.number = number.len ? number : S("n"), .position = position};
	struct forms_speller speller = printf_speller(flavour);
	struct forms f = *forms;

	/* Whole numbers first: a plural over a fraction is rare. */
	for (int c = PLURAL_OTHER; f.plural && !naming.position && c >= 0; c--)
		naming.position = number_position(f.text[c], "diu");
	for (int c = PLURAL_OTHER; f.plural && !naming.position && c >= 0; c--)
		naming.position = number_position(f.text[c], "oxXfFeEgG");
	speller.name = name_argument;
	speller.state = &naming;
	f.number = naming.number;
	return forms_join(&f, locale, &speller, out);
}
