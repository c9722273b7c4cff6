#include "tools/ai/cache_part.h"

#include "common/hash.h"
#include "common/mem.h"

#include <stdlib.h>
#include <sys/stat.h>

/*
 * The file: a head, the fences, the filter, the blocks. A look-up reads one
 * block, and only where the filter lets it, so its checksum is kept small and
 * the whole file is never read at once.
 */
enum {
	BLOCK = 1024,
	PER_BLOCK = (BLOCK - 16) / sizeof(struct place),
	PROBES = 4, /* bits of the filter an entry: 8 to 16 bits each make 0.2 to 2.4 % false */
};

struct index_head {
	uint64_t sum; /* over all behind it up to the blocks */
	uint64_t magic, size;
	uint32_t count, blocks;
	uint64_t words; /* of the filter, a power of two */
};

struct block {
	uint64_t sum; /* over all behind it */
	uint64_t number;
	struct place v[PER_BLOCK];
};
_Static_assert(sizeof(struct block) == BLOCK, "a block of the index has no padding");

static const uint64_t magic = 0x3158444970af646eu;

/* The bits of the filter, one after the other. */
static uint64_t
next_bit(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static int
compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->fragment > y->fragment) - (x->fragment < y->fragment);
}

static struct place *
sorted(const struct places *p)
{
	struct place *v = xreallocarray(NULL, p->used + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < p->size; i++)
		if (p->v[i].at != UINT32_MAX)
			v[n++] = p->v[i];
	qsort(v, n, sizeof(*v), compare);
	return v;
}

static uint64_t
filter_words(size_t entries)
{
	uint64_t words = 1;

	while (words * 8 < entries) /* 8 bits each at least: 64 / 8 entries a word */
		words *= 2;
	return words;
}

void
index_make(const struct places *p, uint64_t size, struct buf *image)
{
	struct index_head head = {.magic = magic,
	    .size = size,
	    .count = (uint32_t)p->used,
	    .blocks = (uint32_t)((p->used + PER_BLOCK - 1) / PER_BLOCK),
	    .words = filter_words(p->used)};
	struct place *v = sorted(p);
	uint64_t *filter = xcalloc(head.words, sizeof(*filter));

	buf_reset(image);
	buf_add(image, &head, sizeof(head));
	for (size_t i = 0; i < head.count; i += PER_BLOCK)
		buf_add(image, &v[i].fragment, sizeof(v[i].fragment));
	for (size_t i = 0; i < head.count; i++) {
		uint64_t state = v[i].fragment;

		for (int k = 0; k < PROBES; k++) {
			uint64_t bit = next_bit(&state) & (head.words * 64 - 1);

			filter[bit / 64] |= (uint64_t)1 << bit % 64;
		}
	}
	buf_add(image, filter, head.words * sizeof(*filter));
	head.sum = hash_stable((struct slice){image->ptr + 8, image->len - 8});
	memcpy(image->ptr, &head.sum, sizeof(head.sum));
	for (uint32_t i = 0; i < head.blocks; i++) {
		struct block block = {.number = i};
		size_t at = (size_t)i * PER_BLOCK, left = head.count - at;

		memset(block.v, 0xff, sizeof(block.v));
		memcpy(block.v, v + at, (left < PER_BLOCK ? left : PER_BLOCK) * sizeof(*v));
		block.sum = hash_stable((struct slice){(const char *)&block + 8, BLOCK - 8});
		buf_add(image, &block, BLOCK);
	}
	free(filter);
	free(v);
}

/* Whether a head can be one, of a file of that many bytes; *rest: what lies before the blocks. */
static bool
head_fits(const struct index_head *head, uint64_t size, uint64_t file, size_t *rest)
{
	if (head->magic != magic || head->size != size || head->count > SEGMENT_ENTRIES ||
	    head->blocks != (head->count + PER_BLOCK - 1) / PER_BLOCK ||
	    head->words != filter_words(head->count))
		return false;
	*rest = head->blocks * sizeof(uint64_t) + head->words * sizeof(uint64_t);
	return file == sizeof(*head) + *rest + (uint64_t)head->blocks * BLOCK;
}

/* Fills x from a head and the bytes behind it, when the sum is right. */
static int
take(struct index *x, const struct index_head *head, const char *rest, size_t len)
{
	struct buf all = {0};
	uint64_t sum;

	buf_add(&all, (const char *)head + 8, sizeof(*head) - 8);
	buf_add(&all, rest, len);
	sum = hash_stable(buf_slice(&all));
	buf_free(&all);
	if (sum != head->sum)
		return -1;
	*x = (struct index){.count = head->count,
	    .blocks = head->blocks,
	    .mask = head->words * 64 - 1,
	    .start = sizeof(*head) + len};
	x->fences = xmalloc(len);
	memcpy(x->fences, rest, len);
	x->filter = x->fences + x->blocks;
	return 0;
}

int
index_read(struct index *x, int fd, uint64_t size)
{
	struct index_head head;
	struct stat st;
	size_t len;
	char *rest;
	int rc = -1;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    read_at(fd, &head, sizeof(head), 0) != 0 ||
	    !head_fits(&head, size, (uint64_t)st.st_size, &len))
		return -1;
	rest = xmalloc(len);
	if (read_at(fd, rest, len, sizeof(head)) == 0)
		rc = take(x, &head, rest, len);
	free(rest);
	return rc;
}

int
index_hold(struct index *x, struct slice image, uint64_t size)
{
	struct index_head head;
	size_t len;

	if (image.len < sizeof(head))
		return -1;
	memcpy(&head, image.ptr, sizeof(head));
	if (!head_fits(&head, size, image.len, &len) ||
	    take(x, &head, image.ptr + sizeof(head), len) != 0)
		return -1;
	x->held = xmalloc((size_t)x->blocks * BLOCK + 1);
	memcpy(x->held, image.ptr + x->start, (size_t)x->blocks * BLOCK);
	return 0;
}

bool
index_may(const struct index *x, uint64_t fragment)
{
	uint64_t state = fragment;

	if (x->count == 0)
		return false;
	for (int k = 0; k < PROBES; k++) {
		uint64_t bit = next_bit(&state) & x->mask;

		if ((x->filter[bit / 64] >> bit % 64 & 1) == 0)
			return false;
	}
	return true;
}

int
index_find(const struct index *x, int fd, uint64_t fragment, struct place *place)
{
	uint32_t low = 0, high = x->blocks;
	struct block block;
	size_t left, n, from = 0;

	/* The last block whose fence is not beyond it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (x->fences[middle] <= fragment)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	low--;
	if (x->held)
		memcpy(&block, x->held + (size_t)low * BLOCK, BLOCK);
	else if (read_at(fd, &block, BLOCK, x->start + (uint64_t)low * BLOCK) != 0)
		return -1;
	if (block.number != low ||
	    block.sum != hash_stable((struct slice){(const char *)&block + 8, BLOCK - 8}))
		return -1;
	left = x->count - (size_t)low * PER_BLOCK;
	n = left < PER_BLOCK ? left : PER_BLOCK;
	while (from < n) {
		size_t middle = from + (n - from) / 2;

		if (block.v[middle].fragment == fragment) {
			*place = block.v[middle];
			return place->length <= CACHE_VALUE ? 1 : -1;
		}
		if (block.v[middle].fragment < fragment)
			from = middle + 1;
		else
			n = middle;
	}
	return 0;
}

void
index_free(struct index *x)
{
	free(x->fences);
	free(x->held);
	*x = (struct index){0};
}
