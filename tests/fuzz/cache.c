/*
 * cache: whatever bytes lie in the folder, nothing crashes, and what is put
 * then is found. The input is a sealed segment, its index and the newest segment,
 * each behind its length (three bytes); the keys asked for are taken from it.
 */
#include "common/path.h"
#include "tools/ai/cache.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];

/* Once: a folder, in memory where there is one. */
static void
make_folder(void)
{
	if (*dir)
		return;
	snprintf(dir, sizeof(dir), "%s/kandil-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
}

static void
clear(void)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL) {
		char *name = path_join(dir, entry->d_name);

		unlink(name);
		free(name);
	}
	if (folder)
		closedir(folder);
}

static void
write_part(const char *name, const uint8_t **data, size_t *size)
{
	char *path = path_join(dir, name);
	FILE *f = fopen(path, "wb");
	size_t len = 0;

	if (*size >= 3) {
		len = (size_t)(*data)[0] | (size_t)(*data)[1] << 8 | (size_t)(*data)[2] << 16;
		*data += 3;
		*size -= 3;
	}
	if (len > *size)
		len = *size;
	if (f == NULL || fwrite(*data, 1, len, f) != len || fclose(f) != 0)
		abort();
	*data += len;
	*size -= len;
	free(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *rest = data;
	size_t left = size;
	struct buf out = {0};
	struct cache *c;
	uint8_t key[CACHE_KEY] = {1};

	make_folder();
	write_part("00000001.seg1", &rest, &left);
	write_part("00000001.idx1", &rest, &left);
	write_part("00000002.seg1", &rest, &left);
	if (cache_open(&c, dir, 0, NULL) != 0)
		abort();
	for (size_t i = 0; i + CACHE_KEY <= size && i < 16 * 64; i += 1 + i / 64) {
		buf_reset(&out);
		cache_get(c, data + i, &out);
	}
	if (cache_put(c, key, S("value"), NULL) != 0)
		abort();
	buf_reset(&out);
	if (!cache_get(c, key, &out) || !slice_is(buf_slice(&out), "value"))
		abort();
	cache_close(c);
	clear();
	buf_free(&out);
	return 0;
}

static void remove_folder(void) __attribute__((destructor));

static void
remove_folder(void)
{
	if (*dir)
		rmdir(dir);
}
