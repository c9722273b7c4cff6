#include "tools/ai/batch_part.h"

#include "common/crypto.h"
#include "common/mem.h"
#include "common/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PENDING = 256 << 10,
	OPEN = 32, /* chunks that grow at once, a file each: models may be a stranger's words */
};

struct chunk *
chunk_for(struct batches *b, const struct batch_api *api, const struct ask *ask)
{
	struct slice model = api->one_model && ask->model.ptr ? ask->model : S(""), url;
	struct chunk *c;

	buf_reset(&b->url);
	api->url(ask, &b->url);
	url = buf_slice(&b->url);
	for (c = b->chunks; c; c = c->next)
		if (c->endpoint == ask->endpoint && slice_is(url, c->url) &&
		    slice_is(model, c->model))
			return c;
	c = xcalloc(1, sizeof(*c));
	c->api = api;
	c->endpoint = ask->endpoint;
	c->url = xstrndup(url.ptr, url.len);
	c->model = xstrndup(model.ptr, model.len);
	c->fd = -1;
	c->next = b->chunks;
	b->chunks = c;
	return c;
}

struct chunk *
chunk_most(const struct batches *b)
{
	struct chunk *most = NULL;
	int open = 0;

	for (struct chunk *c = b->chunks; c; c = c->next) {
		open += c->fd >= 0;
		if (c->fd >= 0 && (most == NULL || c->count > most->count))
			most = c;
	}
	return open < OPEN ? NULL : most;
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
	if (path_write(c->fd, buf_slice(&c->pending)) != 0)
		die(STATUS_FAILED, "cannot write a batch's content beside its state:");
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
		free(c->model);
		free(c);
	}
}
