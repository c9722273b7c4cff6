#include "tools/translate/fuzzy.h"

#include "tools/translate/fold.h"

#include <ctype.h>

/* ---- distance ---- */

static size_t
decode(struct slice text, uint32_t *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n < max; n++) {
		if ((unsigned char)text.ptr[i] < 0x80) {
			out[n] = (unsigned char)text.ptr[i++];
			continue;
		}
		size_t step = utf8_decode(text.ptr + i, text.len - i, &out[n]);
		if (!step) {
			out[n] = (unsigned char)text.ptr[i];
			step = 1;
		}
		i += step;
	}
	return n;
}

/* Levenshtein within a band of most; most + 1 when it is more (Ukkonen 1985). */
static size_t
distance(const uint32_t *a, size_t n, const uint32_t *b, size_t m, size_t most)
{
	size_t row[FUZZY_LENGTH + 1], best;

	if ((n > m ? n - m : m - n) > most)
		return most + 1;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t from = i > most ? i - most : 1, to = i + most < m ? i + most : m;
		size_t corner = row[from - 1];

		row[from - 1] = from == 1 ? i : most + 1;
		best = row[from - 1];
		for (size_t j = from; j <= to; j++) {
			size_t above = row[j], d = corner + (a[i - 1] != b[j - 1]);

			if (j < i + most && above + 1 < d)
				d = above + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			corner = above;
			row[j] = d;
			best = d < best ? d : best;
		}
		if (best > most)
			return most + 1;
	}
	return row[m] > most ? most + 1 : row[m];
}

/* The score of a text that is decoded already, and another. */
static double
score_of(const uint32_t *x, size_t n, struct slice b, double least)
{
	uint32_t y[FUZZY_LENGTH];
	size_t m = decode(b, y, FUZZY_LENGTH), longer = n > m ? n : m;
	size_t most = (size_t)((1 - least) * (double)longer + 1e-9);

	if (!longer || b.len > 4 * FUZZY_LENGTH)
		return 0;
	size_t d = distance(x, n, y, m, most);
	return d > most ? 0 : 1 - (double)d / (double)longer;
}

/* 1 - d / max(length) of two folded texts; 0 when it is below least. */
static double
word_score(struct slice a, struct slice b, double least)
{
	uint32_t x[FUZZY_LENGTH];

	return a.len > 4 * FUZZY_LENGTH ? 0 : score_of(x, decode(a, x, FUZZY_LENGTH), b, least);
}

/* ---- words ---- */

static struct slice
word(struct slice *rest)
{
	while (rest->len && *rest->ptr == ' ') {
		rest->ptr++;
		rest->len--;
	}
	const char *space = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
	struct slice w = {rest->ptr, space ? (size_t)(space - rest->ptr) : rest->len};
	rest->ptr += w.len;
	rest->len -= w.len;
	return w;
}

/* Words whose lack changes no meaning. */
static bool
is_light(struct slice w)
{
	static const char *const known[] = {"the", "a", "an", "your", "this", "please", "that"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(w, known[i]))
			return true;
	return false;
}

static bool
words_agree(struct slice a, struct slice b)
{
	struct slice x = word(&a), y = word(&b);

	while (x.len || y.len) {
		if (slice_eq(x, y) || (x.len && y.len && word_score(x, y, 0.6) > 0)) {
			x = word(&a);
			y = word(&b);
		} else if (x.len && is_light(x)) {
			x = word(&a);
		} else if (y.len && is_light(y)) {
			y = word(&b);
		} else {
			return false;
		}
	}
	return true;
}

/* Words with a letter in a folded text. */
static size_t
count_words(struct slice folded)
{
	size_t n = 0;

	for (struct slice w = word(&folded); w.len; w = word(&folded)) {
		size_t i = 0;

		while (i < w.len && (w.ptr[i] & 0x80) == 0 && !isalpha((unsigned char)w.ptr[i]))
			i++;
		n += i < w.len;
	}
	return n;
}

/* ---- numbers and names ---- */

/* The next run of digits; empty at the end. */
static struct slice
number(struct slice *rest)
{
	size_t from = 0, to;

	while (from < rest->len && !isdigit((unsigned char)rest->ptr[from]))
		from++;
	for (to = from; to < rest->len && isdigit((unsigned char)rest->ptr[to]); to++)
		;
	struct slice found = {rest->ptr + from, to - from};
	*rest = (struct slice){rest->ptr + to, rest->len - to};
	return found;
}

static bool
numbers_agree(struct slice a, struct slice b)
{
	struct slice x, y;

	do {
		x = number(&a);
		y = number(&b);
	} while (x.len && slice_eq(x, y));
	return !x.len && !y.len;
}

/* A word of a message as it is written; what is in braces is none. */
struct written {
	struct slice rest, word;
	bool opens; /* the first of its sentence: a capital says nothing */
};

static bool
next_written(struct written *w)
{
	const char *at = w->rest.ptr, *end = at + w->rest.len, *from;
	int depth = 0;

	w->opens = !w->word.ptr;
	for (; at < end; at++) {
		unsigned char c = (unsigned char)*at;

		depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
		w->opens |= c == '.' || c == '!' || c == '?' || c == ':' || c == '\n';
		if (depth == 0 && (isalnum(c) || c >= 0x80))
			break;
	}
	for (from = at; at < end && (isalnum((unsigned char)*at) || (*at & 0x80)); at++)
		;
	w->word = (struct slice){from, (size_t)(at - from)};
	w->rest = (struct slice){at, (size_t)(end - at)};
	return w->word.len > 0;
}

static bool
has_word(struct slice text, struct slice wanted)
{
	for (struct written w = {.rest = text}; next_written(&w);)
		if (slice_eq(w.word, wanted))
			return true;
	return false;
}

/* Whether capitals mean something: not Where Every Word Has One. */
static bool
is_sentence(struct slice text)
{
	for (struct written w = {.rest = text}; next_written(&w);)
		if (!w.opens && islower((unsigned char)*w.word.ptr))
			return true;
	return false;
}

/* RuStore, iOS; Paris, where it does not open the sentence. */
static bool
is_name(const struct written *w, bool sentence)
{
	bool small = false, inner = false;

	for (size_t i = 0; i < w->word.len; i++) {
		small |= islower((unsigned char)w->word.ptr[i]) != 0;
		inner |= i > 0 && isupper((unsigned char)w->word.ptr[i]);
	}
	return (small && inner) ||
	    (sentence && !w->opens && isupper((unsigned char)*w->word.ptr));
}

/* Whether every name of a is in b. */
static bool
has_names(struct slice a, struct slice b)
{
	bool sentence = is_sentence(a);

	for (struct written w = {.rest = a}; next_written(&w);)
		if (is_name(&w, sentence) && !has_word(b, w.word))
			return false;
	return true;
}

/* ---- search ---- */

/* The first shape that is at least that long. */
static size_t
lower_bound(const struct store *s, size_t length)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->shapes[middle].length < length)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Bits of x. Without a call: most of the search is spent here. */
static inline int
bits(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	return (int)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
}

/* Pairs of characters that a has and b has not. */
static inline int
lacking(const struct shape *a, const struct shape *b)
{
	return bits(a->bigrams[0] & ~b->bigrams[0]) + bits(a->bigrams[1] & ~b->bigrams[1]);
}

/*
 * Whether so few edits can lie between two texts: an edit adds at most two
 * pairs of characters, and takes at most two away; and only light words may
 * be missing.
 */
static bool
may_be_near(const struct shape *a, const struct shape *b, int most)
{
	int words = a->words - b->words;

	return words <= 2 && words >= -2 && lacking(a, b) <= 2 * most && lacking(b, a) <= 2 * most;
}

const struct unit *
fuzzy_find(const struct store *s, struct slice text, struct slice folded, double least,
    double *score)
{
	uint32_t points[FUZZY_LENGTH];
	const struct unit *found = NULL;
	const struct shape wanted = store_shape(folded);
	size_t tries = 0, n;

	*score = 0;
	if (wanted.length < 4 || wanted.length > FUZZY_LENGTH || *folded.ptr == FOLD_BRANCHES)
		return NULL;
	if (least < FUZZY_WORD && count_words(folded) < 2)
		least = FUZZY_WORD;
	n = decode(folded, points, FUZZY_LENGTH);
	size_t shortest = (size_t)((double)wanted.length * least);
	size_t longest = (size_t)((double)wanted.length / least) + 1;
	for (size_t i = lower_bound(s, shortest); i < s->n && tries < FUZZY_TRIES; i++) {
		const struct shape *shape = &s->shapes[i];
		double need = found ? *score : least;
		int longer = shape->length > wanted.length ? shape->length : wanted.length;

		if (shape->length > longest)
			break;
		if (!may_be_near(&wanted, shape, (int)((1 - need) * longer + 1e-9)))
			continue;
		struct slice other = store_folded(s, &s->units[shape->unit]);
		if (*other.ptr == FOLD_BRANCHES)
			continue;
		tries++;
		double now = score_of(points, n, other, need);
		if (now < least || now <= *score || !words_agree(folded, other) ||
		    !numbers_agree(folded, other))
			continue;
		struct slice source = store_source(s, &s->units[shape->unit]);
		if (!has_names(text, source) || !has_names(source, text))
			continue;
		*score = now;
		found = &s->units[shape->unit];
	}
	return found;
}

/* The words of a that b has as well, each of them once: bit i of used is b's i-th word. */
static size_t
shared_words(struct slice a, struct slice b, size_t *total)
{
	uint64_t used = 0;
	size_t shared = 0;

	*total = 0;
	for (struct slice rest = b, y = word(&rest); y.len; y = word(&rest))
		++*total;
	for (struct slice x = word(&a); x.len; x = word(&a)) {
		size_t i = 0;

		++*total;
		for (struct slice rest = b, y = word(&rest); y.len && i < 64; y = word(&rest), i++)
			if (!(used >> i & 1) && slice_eq(x, y)) {
				used |= 1ULL << i;
				shared++;
				break;
			}
	}
	return shared;
}

double
fuzzy_likeness(struct slice a, struct slice b)
{
	size_t total, shared = shared_words(a, b, &total);
	double words = total ? 2 * (double)shared / (double)total : 0;
	double letters = word_score(a, b, 0);

	if (slice_eq(a, b))
		return 1;
	return words > letters ? words : letters;
}
