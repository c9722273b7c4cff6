#include "tools/translate/memory.h"

#include "common/format/catalog.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/message.h"
#include "tools/translate/fold.h"

#include <ctype.h>
#include <stdlib.h>

uint64_t
store_hash(struct slice folded)
{
	return hash_stable(folded);
}

struct shape
store_shape(struct slice folded)
{
	struct shape shape = {.words = 1};
	uint32_t before = ' ';
	size_t n = 0;

	for (size_t i = 0; i < folded.len; n++) {
		uint32_t c = (unsigned char)folded.ptr[i];
		size_t step = c < 0x80 ? 1 : utf8_decode(folded.ptr + i, folded.len - i, &c);

		i += step ? step : 1;
		unsigned bit = (before * 31 + c) * 2654435761U >> 25;
		shape.bigrams[bit / 64] |= 1ULL << (bit % 64);
		shape.words = (uint16_t)(shape.words + (c == ' ' && shape.words < 65535));
		before = c;
	}
	shape.length = (uint16_t)(n > 65535 ? 65535 : n);
	return shape;
}

static uint32_t
pool_add(struct store *s, struct slice text)
{
	uint32_t at = (uint32_t)s->pool.len;

	buf_addslice(&s->pool, text);
	buf_addc(&s->pool, '\0');
	return at;
}

uint32_t
store_file(struct store *s, const char *name)
{
	return pool_add(s, slice(name));
}

static bool
has_letter(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (isalpha((unsigned char)text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80)
			return true;
	return false;
}

/* The folded source as memory sees it; false when it is no message. */
static bool
fold_source(struct slice source, unsigned dialect, struct buf *folded)
{
	static struct arena arena;
	static struct buf skeleton;
	struct message m;

	arena_reset(&arena);
	buf_reset(&skeleton);
	buf_reset(folded);
	if (message_parse(source, dialect, &arena, &m, NULL) < 0)
		return false;
	fold_skeleton(&m, &skeleton);
	fold_text(buf_slice(&skeleton), folded);
	return folded->len > 0;
}

bool
store_add(struct store *s, const struct addition *a)
{
	static struct buf folded;
	struct unit u = {0};

	if (s->n >= STORE_UNITS || s->pool.len >= STORE_POOL)
		return false;
	if (!a->source.len || !a->target.len || a->source.len > STORE_TEXT ||
	    a->target.len > 4 * STORE_TEXT ||
	    (!a->same && slice_eq(a->source, a->target) && has_letter(a->source)) ||
	    !fold_source(a->source, a->dialect, &folded))
		return true;
	u.hash = store_hash(buf_slice(&folded));
	u.source = pool_add(s, a->source);
	u.source_len = (uint32_t)a->source.len;
	u.target = pool_add(s, a->target);
	u.target_len = (uint32_t)a->target.len;
	u.file = a->file;
	u.folded = pool_add(s, buf_slice(&folded));
	u.folded_len = (uint32_t)folded.len;
	u.order = (uint32_t)s->n;
	u.votes = 1;
	u.dialect = (uint8_t)a->dialect;
	u.state = (uint8_t)(a->distance >= STORE_OTHER && a->state > CATALOG_FUZZY ? CATALOG_FUZZY
										   : a->state);
	u.distance = (uint8_t)a->distance;
	u.flags = a->same ? UNIT_SAME : 0;
	s->units = xgrow(s->units, s->n, &s->cap, sizeof(*s->units));
	s->units[s->n++] = u;
	return true;
}

/* ---- sealing ---- */

static int
compare_text(const struct store *s, const struct unit *a, const struct unit *b)
{
	int d = slice_cmp(store_source(s, a), store_source(s, b));

	return d ? d : slice_cmp(store_target(s, a), store_target(s, b));
}

static int
compare_units(const void *x, const void *y, void *state)
{
	const struct unit *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	int d = compare_text(state, a, b);
	if (d)
		return d;
	if (a->state != b->state)
		return a->state > b->state ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int
compare_shapes(const void *x, const void *y)
{
	const struct shape *a = x, *b = y;

	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* Equal units become one; each catalogue counts once. */
static void
merge(struct store *s)
{
	size_t kept = 0, last_file = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct unit *u = &s->units[i], *k = kept ? &s->units[kept - 1] : NULL;

		if (k && k->hash == u->hash && k->dialect == u->dialect &&
		    compare_text(s, k, u) == 0) {
			k->votes =
			    (uint16_t)(k->votes + (u->file != last_file && k->votes < 65535));
			k->flags |= u->flags;
			k->distance = u->distance < k->distance ? u->distance : k->distance;
		} else {
			s->units[kept++] = *u;
		}
		last_file = u->file;
	}
	s->n = kept;
}

void
store_seal(struct store *s)
{
	s->bytes = s->pool.ptr;
	s->bytes_len = s->pool.len;
	if (s->n)
		qsort_r(s->units, s->n, sizeof(*s->units), compare_units, s);
	merge(s);
	free(s->shapes);
	s->shapes = xreallocarray(NULL, s->n + 1, sizeof(*s->shapes));
	for (size_t i = 0; i < s->n; i++) {
		s->shapes[i] = store_shape(store_folded(s, &s->units[i]));
		s->shapes[i].unit = (uint32_t)i;
	}
	if (s->n)
		qsort(s->shapes, s->n, sizeof(*s->shapes), compare_shapes);
	s->sealed = true;
}

/* Hashes are spread evenly: guess where it lies, then bisect what is left. */
const struct unit *
store_find(const struct store *s, uint64_t hash, size_t *n)
{
	size_t low = 0, high = s->n, end;

	*n = 0;
	if (s->n > 64) {
		size_t guess = (size_t)((unsigned __int128)hash * s->n >> 64), step = 16;
		size_t from = guess > step ? guess - step : 0;
		size_t to = guess + step < s->n ? guess + step : s->n;

		if (from == 0 || s->units[from - 1].hash < hash)
			low = from;
		if (to == s->n || s->units[to].hash > hash)
			high = to;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->units[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < s->n && s->units[end].hash == hash; end++)
		;
	*n = end - low;
	return *n ? &s->units[low] : NULL;
}

void
store_free(struct store *s)
{
	if (!s->mapped) {
		free(s->units);
		free(s->shapes);
	}
	buf_free(&s->pool);
	*s = (struct store){0};
}
