/*
 * An estimate by character: tokenizers join the letters of common words and split everything
 * else. A run of lower-case letters is a word, cheap up to eight letters and dear behind them; a
 * change of case or kind begins a new one; other scripts count by the character, each as dear as
 * its letters are in the dearer of two vocabularies, less what newer ones save.
 */
#include "tools/ai/price.h"

/* Hundredths of a token. */
enum {
	WORD = 90,	 /* the beginning of a word, with the blank before it */
	LETTER = 14,	 /* a letter of a word, up to SHORT of them */
	LONG = 45,	 /* a letter behind those */
	SHORT_WORD = 8,
	DIGIT = 70,
	MARK = 70,	 /* ASCII punctuation */
	BLANK = 2,	 /* a blank behind a blank */
	LINE = 50,	 /* a line end, a tab */
	BYTE = 75,	 /* of a script that is not listed */
	BROKEN = 100,	 /* a byte that is not UTF-8 */
};

/* A character from `first` on, to the next row's: hundredths, or 0 for BYTE a byte. */
static const struct {
	uint32_t first;
	int weight;
} scripts[] = {
    {0x80, 130},   /* Latin-1 signs */
    {0xC0, 80},	   /* Latin letters with marks */
    {0x250, 110},  /* phonetic signs, loose marks */
    {0x370, 70},   /* Greek */
    {0x400, 45},   /* Cyrillic */
    {0x530, 125},  /* Armenian */
    {0x590, 70},   /* Hebrew */
    {0x600, 60},   /* Arabic */
    {0x700, 0},
    {0x900, 80},   /* Devanagari */
    {0x980, 100},  /* other scripts of India */
    {0xE00, 75},   /* Thai, Lao */
    {0xF00, 0},
    {0x1000, 140}, /* Burmese */
    {0x10A0, 125}, /* Georgian */
    {0x1100, 120}, /* single parts of Hangul */
    {0x1200, 240}, /* Ethiopic */
    {0x1400, 0},
    {0x1E00, 110}, /* Vietnamese letters, old Greek */
    {0x2000, 170}, /* punctuation, currencies, arrows, operators */
    {0x2C00, 0},
    {0x3000, 90},  /* kana, Chinese characters */
    {0xA000, 0},
    {0xAC00, 90},  /* Hangul */
    {0xD800, 0},
    {0xF900, 150}, /* compatibility forms */
    {0xFE20, 120}, /* full and half width */
    {0x10000, 0},
    {0x1F000, 200}, /* emoji */
    {0x1FB00, 0},
    {0x20000, 250}, /* rare Chinese characters */
    {0x30000, 0},
};

static unsigned long
weight_of(uint32_t c, size_t bytes)
{
	size_t low = 0, high = sizeof(scripts) / sizeof(*scripts);

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (scripts[middle].first <= c)
			low = middle;
		else
			high = middle;
	}
	return scripts[low].weight ? (unsigned long)scripts[low].weight : BYTE * bytes;
}

/* What the character before was. */
enum kind { KIND_NONE, KIND_LOWER, KIND_UPPER, KIND_DIGIT, KIND_BLANK };

static unsigned long
ascii_weight(char c, enum kind *kind, size_t *letters)
{
	enum kind before = *kind;

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		*kind = c >= 'a' ? KIND_LOWER : KIND_UPPER;
		/* "Word" is one, "wordWord" two. */
		if (before == *kind || (before == KIND_UPPER && *letters == 1))
			return ++*letters <= SHORT_WORD ? LETTER : LONG;
		*letters = 1;
		return WORD;
	}
	if (c >= '0' && c <= '9') {
		*kind = KIND_DIGIT;
		return DIGIT;
	}
	*kind = KIND_NONE;
	if (c == ' ') {
		*kind = KIND_BLANK;
		return before == KIND_BLANK ? BLANK : before == KIND_DIGIT ? DIGIT : 0;
	}
	return c == '\n' || c == '\t' || c == '\r' ? LINE : MARK;
}

long long
price_tokens(struct slice text)
{
	unsigned long sum = 0;
	enum kind kind = KIND_NONE;
	size_t letters = 0;

	for (size_t i = 0; i < text.len; ) {
		uint32_t c;
		size_t n = 1;

		if ((unsigned char)text.ptr[i] < 128) {
			sum += ascii_weight(text.ptr[i], &kind, &letters);
		} else {
			n = utf8_decode(text.ptr + i, text.len - i, &c);
			sum += n ? weight_of(c, n) : BROKEN;
			n = n ? n : 1;
			/* A letter with a mark goes on with its word. */
			if (kind == KIND_BLANK || kind == KIND_DIGIT)
				kind = KIND_NONE;
		}
		i += n;
	}
	return (long long)((sum + 99) / 100);
}
