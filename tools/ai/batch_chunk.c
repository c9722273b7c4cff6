#include "tools/ai/batch_part.h"

#include "common/crypto.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PENDING = 256 << 10 };

struct chunk *
chunk_for(struct batches *b, const struct batch_api *api, const struct endpoint *endpoint,
    struct slice url)
{
	struct chunk *c;

	for (c = b->chunks; c; c = c->next)
		if (c->endpoint == endpoint && slice_is(url, c->url))
			return c;
	c = xcalloc(1, sizeof(*c));
	c->api = api;
	c->endpoint = endpoint;
	c->url = xstrndup(url.ptr, url.len);
	c->fd = -1;
	c->next = b->chunks;
	b->chunks = c;
	return c;
}

bool
chunk_fits(const struct batches *b, const struct chunk *c, size_t bytes)
{
	size_t most = c->api->lines;

	if (b->settings->batch_size && (size_t)b->settings->batch_size < most)
		most = (size_t)b->settings->batch_size;
	return c->count == 0 || (c->count < most && c->bytes + bytes <= c->api->bytes);
}

int
batch_file(const struct batches *b)
{
	struct buf name = {0};
	int fd;

	buf_addf(&name, "%s.XXXXXX", b->state.path);
	fd = mkostemp(name.ptr, O_CLOEXEC);
	if (fd < 0)
		die(STATUS_FAILED, "cannot write beside the batch state '%s':", b->state.path);
	unlink(name.ptr);
	buf_free(&name);
	return fd;
}

static void
flush(struct chunk *c)
{
	struct slice left = buf_slice(&c->pending);

	while (left.len) {
		ssize_t n = write(c->fd, left.ptr, left.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(STATUS_FAILED, "cannot write a batch's content:");
		left.ptr += n;
		left.len -= (size_t)n;
	}
	buf_reset(&c->pending);
}

static void
begin(struct batches *b, struct chunk *c)
{
	uint8_t random[8];
	struct buf name = {0};

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		die(STATUS_FAILED, "the system gives no random numbers:");
	buf_adds(&name, "kandil-");
	crypto_hex(&name, random, sizeof(random));
	snprintf(c->name, sizeof(c->name), "%s", name.ptr);
	buf_free(&name);
	c->fd = batch_file(b);
	c->api->head(c, &c->pending);
}

void
chunk_add(struct batches *b, struct chunk *c, struct slice line, const uint8_t key[CACHE_KEY])
{
	if (c->fd < 0)
		begin(b, c);
	buf_addslice(&c->pending, line);
	c->bytes += line.len;
	c->count++;
	crypto_hex(&c->keys, key, CACHE_KEY);
	if (c->pending.len > PENDING)
		flush(c);
}

struct slice
chunk_map(struct chunk *c)
{
	struct stat st;
	void *at;

	/* It may be asked for again, when it has to be sent again. */
	if (!c->whole)
		c->api->tail(c, &c->pending);
	c->whole = true;
	flush(c);
	if (fstat(c->fd, &st) != 0)
		die(STATUS_FAILED, "cannot read a batch's content:");
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, c->fd, 0);
	if (at == MAP_FAILED)
		die(STATUS_FAILED, "cannot read a batch's content:");
	return (struct slice){at, (size_t)st.st_size};
}

void
chunk_unmap(struct slice content)
{
	munmap((void *)(uintptr_t)content.ptr, content.len);
}

void
chunk_reset(struct chunk *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_reset(&c->pending);
	buf_reset(&c->keys);
	c->bytes = c->count = 0;
	c->reserved = 0;
	c->whole = false;
}

void
chunks_free(struct batches *b)
{
	while (b->chunks) {
		struct chunk *c = b->chunks;

		b->chunks = c->next;
		chunk_reset(c);
		buf_free(&c->pending);
		buf_free(&c->keys);
		free(c->url);
		free(c);
	}
}
