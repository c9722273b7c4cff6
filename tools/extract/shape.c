#include "tools/extract/shape.h"

bool
shape_is_letter(uint32_t c)
{
	if (c < 128)
		return (c | 32) >= 'a' && (c | 32) <= 'z';
	if (c < 0xc0)
		return c == 0xaa || c == 0xb5 || c == 0xba;
	if (c == 0xd7 || c == 0xf7)
		return false;
	/* Punctuation, arrows, signs, boxes; private use; width and variation; emoji. */
	return !((c >= 0x2000 && c < 0x2c00 && !(c >= 0x2100 && c < 0x2150)) ||
	    (c >= 0x3000 && c < 0x3040) || (c >= 0xd800 && c < 0xf900) ||
	    (c >= 0xfe00 && c < 0xfe70) || (c >= 0xff00 && c < 0xff21) || c == 0xfeff ||
	    c == 0xfffd || (c >= 0x1f000 && c < 0x20000) || c >= 0xe0000);
}

/* What one look at every character tells. */
struct traits {
	size_t letters, wide; /* letters; those beyond ASCII */
	size_t run;	      /* the longest run of letters */
	bool space;	      /* between or around words */
	bool capital;	      /* the first letter or digit is a capital letter */
	bool inner_upper;     /* an upper-case letter behind a lower-case one */
	bool underscore, slash, dash, digit;
	bool inner_dot;	      /* between letters or digits */
	bool code;	      /* = & { } < > \ | @ # ; ^ */
	bool formats;	      /* every run is one repeated letter of a date pattern */
};

/* What an ASCII character is, by table: this is asked of every character of every literal. */
enum {
	UPPER = 1,
	LOWER = 2,
	DIGIT = 4,
	SPACE = 8,
	CODE = 16,   /* = & { } < > \ | @ # ; ^ */
	MARK = 32,   /* _ / - . */
	LETTER = UPPER | LOWER,
};

static const unsigned char kinds[128] = {
	['A' ... 'Z'] = UPPER, ['a' ... 'z'] = LOWER, ['0' ... '9'] = DIGIT,
	[' '] = SPACE, ['\n'] = SPACE, ['\t'] = SPACE,
	['='] = CODE, ['&'] = CODE, ['{'] = CODE, ['}'] = CODE, ['<'] = CODE, ['>'] = CODE,
	['\\'] = CODE, ['|'] = CODE, ['@'] = CODE, ['#'] = CODE, [';'] = CODE, ['^'] = CODE,
	['_'] = MARK, ['/'] = MARK, ['-'] = MARK, ['.'] = MARK,
};

/* The letters of date patterns: yyyy-MM-dd HH:mm. */
static const bool dates[128] = {['E'] = true, ['G'] = true, ['H'] = true, ['K'] = true,
	['M'] = true, ['Q'] = true, ['S'] = true, ['Z'] = true, ['a'] = true, ['d'] = true,
	['h'] = true, ['k'] = true, ['m'] = true, ['s'] = true, ['w'] = true, ['y'] = true,
	['z'] = true};

static void
read_mark(struct traits *t, const char *s, size_t i, size_t len)
{
	unsigned char next = i + 1 < len ? (unsigned char)s[i + 1] : 0;

	t->underscore |= s[i] == '_';
	t->slash |= s[i] == '/';
	t->dash |= s[i] == '-';
	if (s[i] == '.')
		t->inner_dot |= i > 0 && s[i - 1] != '.' &&
		    (next >= 128 || (kinds[next] & (LETTER | DIGIT)) || next == SHAPE_HOLE);
}

static struct traits
traits_of(struct slice text)
{
	struct traits t = {.formats = true};
	unsigned seen = 0, last_kind = 0;
	size_t run = 0;
	uint32_t last = 0;
	bool begun = false;

	for (size_t i = 0, n; i < text.len; i += n) {
		uint32_t c = (unsigned char)text.ptr[i];
		unsigned kind;
		n = 1;
		if (c < 128) {
			kind = kinds[c];
		} else {
			n = utf8_decode(text.ptr + i, text.len - i, &c);
			n = n == 0 ? 1 : n;
			kind = shape_is_letter(c) ? LETTER : 0;
			t.wide += kind != 0;
		}
		seen |= kind & ~(unsigned)LETTER;
		if (kind & LETTER) {
			t.letters++;
			t.inner_upper |= kind == UPPER && last_kind == LOWER;
			t.formats &= c < 128 && dates[c] && (run == 0 || c == last);
			if (!begun)
				t.capital = kind == UPPER;
			if (++run > t.run)
				t.run = run;
		} else {
			run = 0;
			if (kind & MARK)
				read_mark(&t, text.ptr, i, text.len);
		}
		begun |= (kind & (LETTER | DIGIT)) != 0;
		last = c;
		last_kind = kind;
	}
	t.space = seen & SPACE;
	t.digit = seen & DIGIT;
	t.code = seen & CODE;
	return t;
}

/* Cuts the first word (up to a blank) off text. */
static struct slice
first_word(struct slice *text)
{
	size_t n = 0;

	*text = slice_trim(*text);
	while (n < text->len && text->ptr[n] != ' ' && text->ptr[n] != '\n' && text->ptr[n] != '\t')
		n++;
	struct slice word = {text->ptr, n};
	text->ptr += n;
	text->len -= n;
	return word;
}

static bool
holds(struct slice text, const char *what)
{
	return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

/* Addresses and structured text: what their beginning or a mark in them tells. */
static bool
is_address_or_markup(struct slice text, bool space)
{
	static const char *const beginnings[] = {"http://", "https://", "mailto:", "tel:", "data:",
		"package:", "file://", "assets/", "asset/", "www.", "{\"", "[{", "[\"", "<?xml",
		"<svg", "<html", "<!DOCTYPE", "<!doctype", "query ", "query(", "mutation ",
		"fragment ", "subscription ", "#version", "select * from", NULL};

	for (size_t i = 0; beginnings[i] != NULL; i++) {
		if (beginnings[i][0] != text.ptr[0] || !slice_starts(text, beginnings[i]))
			continue;
		/* "data: none" and "query the index" are words; a query has braces. */
		if (beginnings[i][strlen(beginnings[i]) - 1] == ' ' && !holds(text, "{"))
			continue;
		return !space || beginnings[i][0] != 'd';
	}
	return !space && holds(text, "://");
}

/* Text with spaces that is a query, a command, a media type or a program. */
static bool
is_language(const struct words *w, struct slice text, bool code)
{
	struct slice rest = text, first = first_word(&rest), second = first_word(&rest);

	if (words_has(w, WORDS_SQL, first) &&
	    (second.len == 0 || words_has(w, WORDS_SQL_SECOND, second) || holds(rest, " FROM ") ||
		slice_starts(rest, " FROM ") || slice_is(second, "*") || holds(rest, " SET ") ||
		slice_starts(rest, " SET ") || slice_starts(second, "\x01")))
		return true;
	if (words_has(w, WORDS_MACHINE, first) && second.len == 0)
		return true;
	if (first.len > 1 && slice_ends(first, ";") && holds(first, "/"))
		return true;
	return code && (holds(text, "() {") || holds(text, "(){") || holds(text, "=> {") ||
	    holds(text, "(?:") || holds(text, "\\s") || holds(text, "\\d") || holds(text, "\\w"));
}

/* One word without a space around or in it. */
static enum shape
single(const struct words *w, struct slice text, const struct traits *t)
{
	char last = text.ptr[text.len - 1];

	if (t->code || t->underscore || t->inner_dot || words_has(w, WORDS_MACHINE, text))
		return SHAPE_MACHINE;
	if (t->wide > 0)
		return SHAPE_PROSE;
	if (t->letters < 2 || (t->inner_upper && !t->capital))
		return SHAPE_MACHINE;
	if (t->slash && (!t->capital || text.ptr[0] == '/'))
		return SHAPE_MACHINE;
	if (t->capital)
		return SHAPE_PROSE;
	if (t->dash || t->digit || last == '/' || text.ptr[0] == '.' || text.ptr[0] == ':' ||
	    text.ptr[0] == '%' || text.ptr[0] == '?')
		return SHAPE_MACHINE;
	/* loading… and done! are said to somebody. */
	if (last == '!' || last == '?' || slice_ends(text, "...") || slice_ends(text, "\xe2\x80\xa6"))
		return SHAPE_PROSE;
	return SHAPE_WORD;
}

enum shape
shape_of(const struct words *w, struct slice text)
{
	struct traits t = traits_of(text);

	if (t.letters == 0)
		return SHAPE_NO_TEXT;
	if (is_address_or_markup(slice_trim(text), t.space))
		return SHAPE_MACHINE;
	if (!t.space)
		return single(w, text, &t);
	if (t.wide > 0)
		return SHAPE_PROSE;
	if (t.run < 2 || t.formats || is_language(w, text, t.code))
		return SHAPE_MACHINE;
	return SHAPE_PROSE;
}
