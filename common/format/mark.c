/* States as words of a comment. */
#include "common/format/mark.h"

#include "common/format/arb.h"

enum { HASH = 16 }; /* hex digits */

/* Takes the next word of the line; false at its end. */
static bool
next_word(struct slice *rest, struct slice *word)
{
	size_t n = 0;

	*rest = slice_trim(*rest);
	while (n < rest->len && rest->ptr[n] != ' ')
		n++;
	*word = (struct slice){rest->ptr, n};
	rest->ptr += n;
	rest->len -= n;
	return n > 0;
}

static struct slice
after(struct slice word, size_t n)
{
	struct slice hash = {word.ptr + n, word.len - n};

	return hash.len == HASH ? hash : (struct slice){"", 0};
}

void
mark_read_words(struct slice words, struct mark *m)
{
	struct slice rest = words, word;

	*m = (struct mark){.state = CATALOG_TRANSLATED, .source = {"", 0}, .text = {"", 0}};
	while (next_word(&rest, &word)) {
		if (slice_is(word, "draft"))
			m->state = CATALOG_DRAFT;
		else if (slice_is(word, "fuzzy"))
			m->state = CATALOG_FUZZY;
		else if (slice_is(word, "stale"))
			m->stale = true;
		else if (slice_starts(word, "source="))
			m->source = after(word, 7);
		else if (slice_starts(word, "text="))
			m->text = after(word, 5);
	}
}

bool
mark_read(struct slice comment, struct mark *m)
{
	struct slice rest = comment, word;

	if (!next_word(&rest, &word) || !slice_is(word, "kandil:"))
		return false;
	mark_read_words(rest, m);
	return true;
}

void
mark_apply(const struct mark *m, struct slice raw, struct catalog_entry *e)
{
	struct buf hash = {0};

	arb_hash(raw, &hash);
	if (m->text.len && !slice_eq(m->text, buf_slice(&hash))) {
		e->edited = true;
	} else {
		if (e->state != CATALOG_MISSING)
			e->state = m->state;
		e->stale = m->stale;
		e->was_hash = m->source;
	}
	buf_free(&hash);
}

static void
put_word(const char *name, struct slice value, size_t start, struct buf *out)
{
	buf_addf(out, "%s%s%.*s", out->len > start ? " " : "", name, (int)value.len, value.ptr);
}

bool
mark_words_of(const struct catalog_change *change, struct slice raw, struct buf *out)
{
	const struct slice none = S("");
	size_t start = out->len;
	struct buf hash = {0};
	bool sourced = change->was_hash.len == HASH;

	if (!change->stale && change->state >= CATALOG_TRANSLATED && !sourced)
		return false;
	if (change->state < CATALOG_TRANSLATED)
		put_word(change->state == CATALOG_FUZZY ? "fuzzy" : "draft", none, start, out);
	if (change->stale)
		put_word("stale", none, start, out);
	if (sourced)
		put_word("source=", change->was_hash, start, out);
	arb_hash(raw, &hash);
	put_word("text=", buf_slice(&hash), start, out);
	buf_free(&hash);
	return true;
}

bool
mark_of(const struct catalog_change *change, struct slice raw, struct buf *out)
{
	struct buf words = {0};
	bool needed = mark_words_of(change, raw, &words);

	if (needed)
		buf_addf(out, " kandil: %s ", words.ptr);
	buf_free(&words);
	return needed;
}
