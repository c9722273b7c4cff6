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

bool
mark_read(struct slice comment, struct mark *m)
{
	struct slice rest = comment, word;

	*m = (struct mark){.state = CATALOG_TRANSLATED, .source = {"", 0}, .text = {"", 0}};
	if (!next_word(&rest, &word) || !slice_is(word, "kandil:"))
		return false;
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

bool
mark_of(const struct catalog_change *change, struct slice raw, struct buf *out)
{
	if (!change->stale && change->state >= CATALOG_TRANSLATED)
		return false;
	buf_adds(out, " kandil:");
	if (change->state < CATALOG_TRANSLATED)
		buf_adds(out, change->state == CATALOG_FUZZY ? " fuzzy" : " draft");
	if (change->stale)
		buf_adds(out, " stale");
	if (change->was_hash.len == HASH) {
		buf_adds(out, " source=");
		buf_addslice(out, change->was_hash);
	}
	buf_adds(out, " text=");
	arb_hash(raw, out);
	buf_addc(out, ' ');
	return true;
}
