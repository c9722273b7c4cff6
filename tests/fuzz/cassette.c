/*
 * cassette: whatever a file of the folder holds, nothing crashes: the file's bytes, a NUL byte,
 * and the body of a request that is missed.
 */
#include "common/json.h"
#include "common/path.h"
#include "tools/ai/cassette.h"
#include "tools/ai/cassette_text.h"
#include "tools/ai/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64], *name;

/* Once: a folder, in memory where there is one. */
static void
make_folder(void)
{
	if (name)
		return;
	snprintf(dir, sizeof(dir), "%s/kandil-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	name = path_join(dir, "0000000000000000.json");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t here[CACHE_KEY], elsewhere[CACHE_KEY] = {1};
	const uint8_t *end = memchr(data, 0, size);
	size_t len = end ? (size_t)(end - data) : size;
	struct slice body = {(const char *)data + len, size - len};
	struct reply reply = {0};
	struct buf out = {0}, made = {0}, said = {0};
	struct cassette *c;
	struct err err;
	FILE *f;
	long ms;

	make_folder();
	f = fopen(name, "wb");
	if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
	if (end)
		body = (struct slice){body.ptr + 1, body.len - 1};
	if (cassette_open(&c, dir, true, &err) != 0)
		abort();
	if (cassette_get(c, here, &out)) {
		if (cache_decode(buf_slice(&out), &reply, &ms, &err) != 0)
			abort();
	} else {
		cassette_miss(c, body, &out);
	}
	if (cassette_get(c, elsewhere, &out))
		abort();
	cassette_miss(c, body, &out);
	/* What can be recorded is replayed. */
	if (json_check(body, &err) == 0) {
		reply_reset(&reply);
		buf_reset(&made);
		buf_reset(&out);
		cache_encode(&reply, 1, &made);
		if (cassette_put(c, here, body, body, buf_slice(&made), &err) != 0 ||
		    !cassette_get(c, here, &out) ||
		    text_difference(buf_slice(&made), buf_slice(&out), &said))
			abort();
	}
	cassette_close(c);
	reply_free(&reply);
	buf_free(&out);
	buf_free(&made);
	buf_free(&said);
	return 0;
}

static void remove_folder(void) __attribute__((destructor));

static void
remove_folder(void)
{
	if (name == NULL)
		return;
	unlink(name);
	rmdir(dir);
	free(name);
}
