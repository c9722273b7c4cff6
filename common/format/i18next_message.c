#include "common/format/i18next_message.h"

/* Placeholders of i18next and ICU, and the formats that both know. */

/* ICU's type and style, and i18next's format (the options are Intl's). */
static const struct {
	const char *icu, *i18next;
} formats[] = {
    {"number", "number"},
    {"number, integer", "number(maximumFractionDigits: 0)"},
    {"number, percent", "number(style: percent)"},
    {"date", "datetime"},
    {"date, short", "datetime(dateStyle: short)"},
    {"date, medium", "datetime(dateStyle: medium)"},
    {"date, long", "datetime(dateStyle: long)"},
    {"date, full", "datetime(dateStyle: full)"},
    {"time, short", "datetime(timeStyle: short)"},
    {"time, medium", "datetime(timeStyle: medium)"},
    {"time, long", "datetime(timeStyle: long)"},
    {"time, full", "datetime(timeStyle: full)"},
};

/* Whether two texts are the same but for blanks. */
static bool
same_words(struct slice a, const char *b)
{
	size_t i = 0;

	for (; i < a.len || *b; i++, b++) {
		while (i < a.len && strchr(" \t\n", a.ptr[i]))
			i++;
		while (*b == ' ')
			b++;
		if (i == a.len || !*b)
			return i == a.len && !*b;
		if (a.ptr[i] != *b)
			return false;
	}
	return true;
}

/* {n, number, integer}: what stands behind the first comma. */
static struct slice
style_of(struct slice bytes, size_t close)
{
	const char *comma = memchr(bytes.ptr, ',', bytes.len);

	if (!comma)
		return S("");
	return slice_trim(
	    (struct slice){comma + 1, bytes.len - (size_t)(comma + 1 - bytes.ptr) - close});
}

struct numbering {
	struct slice number; /* the name that the plural counts; len 0: no plural */
};

static int
spell(const struct message *m, const struct message_node *node, void *state, struct buf *out,
    struct err *e)
{
	const struct numbering *n = state;
	struct slice bytes = message_bytes(m, node), style;
	bool counted = n->number.len && slice_eq(node->name, n->number);

	if ((m->dialect & 15U) == MESSAGE_I18NEXT) {
		buf_addslice(out, bytes);
		return 0;
	}
	if ((m->dialect & 15U) == MESSAGE_PRINTF) {
		bool position = node->name.len && *node->name.ptr >= '0' && *node->name.ptr <= '9';
		buf_addf(out, "{{%s%.*s}}", position ? "arg" : "", (int)node->name.len,
		    node->name.ptr);
		return 0;
	}
	if (n->number.len && !counted && slice_is(node->name, "count"))
		return err_set(e, "cannot_say", "i18next has no {count} beside the number that a "
						"plural counts: it is called count there");
	buf_adds(out, "{{");
	buf_addslice(out, counted ? S("count") : node->name);
	style = node->type == MESSAGE_POUND ? S("") : style_of(bytes, 1);
	for (size_t i = 0; style.len && i < sizeof(formats) / sizeof(*formats); i++)
		if (same_words(style, formats[i].icu)) {
			buf_addf(out, ", %s", formats[i].i18next);
			style.len = 0;
		}
	buf_adds(out, "}}");
	if (style.len)
		return err_set(e, "cannot_say", "i18next has no format for '%.*s'",
		    (int)(bytes.len < 80 ? bytes.len : 80), bytes.ptr);
	return 0;
}

static bool
name(const struct message *m, const struct message_node *node, void *state, struct buf *out)
{
	struct slice bytes = message_bytes(m, node), style;

	(void)state;
	if (slice_is(node->style, "$t") || bytes.len < 3 || bytes.ptr[2] == '-' ||
	    slice_starts(slice_trim((struct slice){bytes.ptr + 2, bytes.len - 2}), "-"))
		return false;
	buf_addc(out, '{');
	buf_addslice(out, node->name);
	style = style_of(bytes, 2);
	for (size_t i = 0; style.len && i < sizeof(formats) / sizeof(*formats); i++)
		if (same_words(style, formats[i].i18next)) {
			buf_addf(out, ", %s", formats[i].icu);
			style.len = 0;
		}
	buf_addc(out, '}');
	return style.len == 0;
}

static const struct forms_speller i18next_speller = {.dialect = MESSAGE_I18NEXT,
    .what = "i18next",
    .ordinals = true,
    .zero_is_0 = true,
    .no_fallback = true,
    .spell = spell,
    .name = name};

/* The name that the message's plural counts; empty: it has none. */
static struct slice
counted_name(struct slice text, const char *format)
{
	struct arena arena = {0};
	struct message m;
	int dialect = message_dialect_of(slice(format));
	struct slice found = S("");

	if (dialect >= 0 && message_parse(text, (unsigned)dialect, &arena, &m, NULL) == 0)
		for (size_t i = 0; i < m.n && !found.len; i += m.nodes[i].size)
			if (m.nodes[i].type == MESSAGE_PLURAL || m.nodes[i].type == MESSAGE_ORDINAL)
				found = m.nodes[i].name;
	arena_free(&arena);
	return found;
}

int
i18next_split(struct slice text, const char *format, struct slice locale, struct arena *arena,
    struct forms *forms, struct err *e)
{
	/* A name is a slice of the text. */
	struct numbering numbering = {.number = counted_name(text, format)};
	struct forms_speller speller = i18next_speller;

	speller.state = &numbering;
	return forms_split(text, format, locale, &speller, arena, forms, e);
}

bool
i18next_join(const struct forms *forms, struct slice locale, struct buf *out)
{
	return forms_join(forms, locale, &i18next_speller, out);
}
