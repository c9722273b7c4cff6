#include "tools/translate/fold.h"

#include "tools/translate/branch.h"

#include <ctype.h>
#include <locale.h>
#include <wctype.h>

/* The skeleton of a plural's "other"; false when the message is none. */
static bool
plural_skeleton(const struct message *m, struct buf *out)
{
	const struct message_node *branch = branch_single(m), *other;
	struct arena arena = {0};
	struct message whole;
	struct buf text = {0};

	if (!branch || branch->type != MESSAGE_PLURAL || !(other = message_case(branch, S("other"))))
		return false;
	branch_flatten(m, branch, other, &text);
	bool read = message_parse(buf_slice(&text), m->dialect, &arena, &whole, NULL) == 0;
	if (read)
		fold_skeleton(&whole, out);
	arena_free(&arena);
	buf_free(&text);
	return read;
}

void
fold_skeleton(const struct message *m, struct buf *out)
{
	if (message_branches(m)) {
		buf_addc(out, FOLD_BRANCHES);
		if (!plural_skeleton(m, out))
			buf_addslice(out, m->text);
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		if (m->nodes[i].type == MESSAGE_TEXT)
			message_literal(m, &m->nodes[i], out);
		else if (m->nodes[i].type >= MESSAGE_OPEN)
			buf_addslice(out, message_bytes(m, &m->nodes[i]));
		else
			buf_addc(out, FOLD_PLACEHOLDER);
	}
}

/* ---- letters ---- */

/* Case of letters beyond ASCII, whatever the user's locale is. */
static locale_t
utf8_locale(void)
{
	static locale_t made;

	if (!made)
		made = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return made;
}

static uint32_t
lower(uint32_t c)
{
	if (c < 0x80)
		return (uint32_t)tolower((int)c);
	return utf8_locale() ? (uint32_t)towlower_l((wint_t)c, utf8_locale()) : c;
}

static uint32_t
upper(uint32_t c)
{
	if (c < 0x80)
		return (uint32_t)toupper((int)c);
	return utf8_locale() ? (uint32_t)towupper_l((wint_t)c, utf8_locale()) : c;
}

static bool
is_letter(uint32_t c)
{
	if (c < 0x80)
		return isalpha((int)c);
	return utf8_locale() && iswalpha_l((wint_t)c, utf8_locale());
}

/* The next code point; a byte that is none stands for itself. */
static uint32_t
next(struct slice text, size_t *at)
{
	uint32_t c = (unsigned char)text.ptr[*at];
	size_t n;

	if (c < 0x80) {
		++*at;
		return c;
	}
	n = utf8_decode(text.ptr + *at, text.len - *at, &c);
	if (!n) {
		c = (unsigned char)text.ptr[*at];
		n = 1;
	}
	*at += n;
	return c;
}

/* ---- accelerators ---- */

static bool
is_mark(char c)
{
	return c == '_' || c == '&' || c == '~';
}

/* " (_S)" or "(&S)" at the end: bytes of it, as CJK and Arabic catalogues write. */
static size_t
mark_in_brackets(struct slice text)
{
	size_t n = text.len;

	if (n < 4 || text.ptr[n - 1] != ')' || text.ptr[n - 4] != '(' || !is_mark(text.ptr[n - 3]))
		return 0;
	return n >= 5 && text.ptr[n - 5] == ' ' ? 5 : 4;
}

/* A mark stands before a letter, at a word's start or within the word. */
static bool
accelerator_at(struct slice text, size_t i)
{
	if (!is_mark(text.ptr[i]) || i + 1 == text.len)
		return false;
	unsigned char after = (unsigned char)text.ptr[i + 1];
	bool letter = isalnum(after) || after >= 0x80;
	bool joined = i > 0 && text.ptr[i] != '&' && isalnum((unsigned char)text.ptr[i - 1]);
	/* snake_case is no accelerator; one mark a text is. */
	return letter && !(joined && memchr(text.ptr + i + 1, text.ptr[i], text.len - i - 1));
}

/* Appends text without accelerators: _S &S ~S, and " (_S)" at the end. */
static void
fold_accelerators(struct slice text, struct buf *out)
{
	bool taken = false;
	size_t brackets = mark_in_brackets(text);

	text.len -= brackets;
	taken = brackets > 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!taken && accelerator_at(text, i))
			taken = true;
		else
			buf_addc(out, text.ptr[i]);
	}
}

/* ---- outer punctuation ---- */

static bool
is_tail(uint32_t c)
{
	if (c >= '@' && c < 0x80)
		return false;
	switch (c) {
	case '.': case ':': case '!': case '?': case ' ': case '\t': case '\n':
	case 0x2026: /* … */
	case 0xa0: case 0x202f: /* no-break spaces */
	case 0x61f: /* ؟ */
	case 0x3002: case 0xff01: case 0xff1a: case 0xff1f: /* 。！：？ */
		return true;
	default:
		return false;
	}
}

static bool
is_head(uint32_t c)
{
	return c == 0xbf || c == 0xa1 || c == ' ' || c == '\t' || c == '\n'; /* ¿ ¡ */
}

struct pieces {
	struct slice head, body, tail;
};

static struct pieces
split(struct slice text)
{
	size_t start = 0, end = 0, at = 0;

	while (start < text.len) {
		size_t after = start;
		if (!is_head(next(text, &after)))
			break;
		start = after;
	}
	/* From the end, a character at a time: a continuation byte starts none. */
	for (end = at = text.len; at > start; end = at) {
		for (at = end - 1; at > start && ((unsigned char)text.ptr[at] & 0xc0) == 0x80; at--)
			;
		size_t after = at;
		if (!is_tail(next((struct slice){text.ptr, end}, &after)) || after != end)
			break;
	}
	return (struct pieces){{text.ptr, start}, {text.ptr + start, end - start},
	    {text.ptr + end, text.len - end}};
}

static bool
is_space(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 || c == 0x202f;
}

/* Curly quotes and dashes as on a typewriter. */
static uint32_t
plain_mark(uint32_t c)
{
	switch (c) {
	case 0x2018: case 0x2019:
		return '\'';
	case 0x201c: case 0x201d:
		return '"';
	case 0x2013: case 0x2014:
		return '-';
	default:
		return c;
	}
}

/* Appends the body with case, quotes and runs of space folded. */
static void
fold_body(struct slice body, struct buf *out)
{
	bool space = false;

	buf_room(out, body.len + 1);
	for (size_t i = 0; i < body.len;) {
		uint32_t c = next(body, &i);

		/* Most of it is ASCII letters: no calls for those. */
		if (c > ' ' && c < 0x80 && !space && out->len + 1 < out->cap) {
			out->ptr[out->len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
			continue;
		}
		if (is_space(c)) {
			space = true;
			continue;
		}
		out->ptr[out->len] = '\0';
		if (space)
			buf_addc(out, ' ');
		space = false;
		buf_addutf8(out, lower(plain_mark(c)));
	}
	out->ptr[out->len] = '\0';
}

void
fold_text(struct slice skeleton, struct buf *out)
{
	struct buf plain = {0};

	if (skeleton.len && *skeleton.ptr == FOLD_BRANCHES) {
		buf_addc(out, FOLD_BRANCHES);
		skeleton.ptr++;
		skeleton.len--;
	}
	if (skeleton.len && (memchr(skeleton.ptr, '_', skeleton.len) ||
			     memchr(skeleton.ptr, '&', skeleton.len) ||
			     memchr(skeleton.ptr, '~', skeleton.len))) {
		fold_accelerators(skeleton, &plain);
		skeleton = buf_slice(&plain);
	}
	fold_body(split(skeleton).body, out);
	buf_free(&plain);
}

/* ---- putting back ---- */

static bool
is_language(const char *locale, const char *language)
{
	size_t n = strlen(language);

	return strncmp(locale, language, n) == 0 && (!locale[n] || locale[n] == '-');
}

/* One mark of the source's tail as the language writes it. */
static void
add_mark(uint32_t c, const char *locale, struct buf *out)
{
	bool french = is_language(locale, "fr") && strcmp(locale, "fr-CA") != 0;
	bool arabic = is_language(locale, "ar") || is_language(locale, "fa") ||
	    is_language(locale, "ur");
	bool chinese = is_language(locale, "zh"), japanese = is_language(locale, "ja");

	if (french && c == ':')
		buf_addutf8(out, 0xa0);
	else if (french && (c == '!' || c == '?'))
		buf_addutf8(out, 0x202f);
	if (arabic && c == '?')
		c = 0x61f;
	else if (chinese || japanese)
		c = c == '?' ? 0xff1f : c == '!' ? 0xff01 : c == '.' ? 0x3002 : c;
	/* Japanese interfaces, as the seed, keep the narrow colon. */
	if (chinese && c == ':')
		c = 0xff1a;
	buf_addutf8(out, c);
}

static void
add_tail(struct slice tail, const char *locale, struct buf *out)
{
	bool dots = tail.len >= 3 && memcmp(tail.ptr, "...", 3) == 0;

	if (dots) {
		buf_adds(out, "...");
		tail.ptr += 3;
		tail.len -= 3;
	}
	for (size_t i = 0; i < tail.len;)
		add_mark(next(tail, &i), locale, out);
}

enum capitals { CAPITALS_NONE, CAPITALS_FIRST, CAPITALS_ALL };

static enum capitals
capitals(struct slice text)
{
	unsigned letters = 0, capital = 0;
	bool first = false;

	for (size_t i = 0; i < text.len;) {
		uint32_t c = next(text, &i);

		if (!is_letter(c))
			continue;
		if (lower(c) != c) {
			capital++;
			first |= letters == 0;
		}
		letters++;
	}
	if (letters > 1 && capital == letters)
		return CAPITALS_ALL;
	return first ? CAPITALS_FIRST : CAPITALS_NONE;
}

/* Capitals as the language has them: Turkish and Azeri pair i with İ, and ı with I. */
static uint32_t
capital(uint32_t c, const char *locale)
{
	bool dotted = is_language(locale, "tr") || is_language(locale, "az");

	return dotted && c == 'i' ? 0x130 : upper(c);
}

static uint32_t
small(uint32_t c, const char *locale)
{
	bool dotted = is_language(locale, "tr") || is_language(locale, "az");

	if (dotted && c == 'I')
		return 0x131;
	return dotted && c == 0x130 ? 'i' : lower(c);
}

static void
add_body(struct slice body, enum capitals found, enum capitals wanted, const char *locale,
    struct buf *out)
{
	bool begun = false;
	/* German nouns and acronyms keep their capitals. */
	bool may_lower = !is_language(locale, "de") && capitals(body) == CAPITALS_FIRST;

	for (size_t i = 0; i < body.len;) {
		uint32_t c = next(body, &i);
		bool letter = is_letter(c);

		if (wanted == CAPITALS_ALL && found != CAPITALS_ALL)
			c = capital(c, locale);
		else if (letter && !begun && wanted == CAPITALS_FIRST && found == CAPITALS_NONE)
			c = capital(c, locale);
		else if (letter && !begun && wanted == CAPITALS_NONE && found == CAPITALS_FIRST &&
		    may_lower)
			c = small(c, locale);
		begun |= letter;
		/* ß has no capital that people write (Rechtschreibrat 2017 allows both). */
		if (c == 0xdf && wanted == CAPITALS_ALL && found != CAPITALS_ALL)
			buf_adds(out, "SS");
		else if (c < 0x80)
			buf_addc(out, (char)c);
		else
			buf_addutf8(out, c);
	}
}

static bool
tail_has(struct slice tail, char mark)
{
	return tail.len && memchr(tail.ptr, mark, tail.len);
}

void
fold_restore(struct slice translation, struct slice found, struct slice wanted,
    const char *locale, struct buf *out)
{
	struct buf clean = {0}, found_clean = {0};
	struct pieces t, f, w = split(wanted);

	fold_accelerators(translation, &clean);
	fold_accelerators(found, &found_clean);
	t = split(buf_slice(&clean));
	f = split(buf_slice(&found_clean));
	bool same = slice_eq(f.tail, w.tail) && slice_eq(f.head, w.head);
	if (same) {
		buf_addslice(out, t.head);
	} else {
		buf_addslice(out, w.head);
		if (is_language(locale, "es") && tail_has(w.tail, '?'))
			buf_adds(out, "¿");
		else if (is_language(locale, "es") && tail_has(w.tail, '!'))
			buf_adds(out, "¡");
	}
	add_body(t.body, capitals(f.body), capitals(w.body), locale, out);
	if (same)
		buf_addslice(out, t.tail);
	else
		add_tail(w.tail, locale, out);
	buf_free(&clean);
	buf_free(&found_clean);
}
