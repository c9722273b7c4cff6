/*
 * scratch: a folder for a test's files, in memory where there is such, and
 * random numbers whose seed is printed; KANDIL_TEST_SEED=n repeats a run.
 */
#ifndef KANDIL_SCRATCH_H
#define KANDIL_SCRATCH_H

#include "common/path.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char scratch[64];
static uint64_t scratch_state;

/* xorshift64*: good enough for choosing tests, the same on every machine. */
static inline uint64_t
scratch_random(uint64_t below)
{
	scratch_state ^= scratch_state >> 12;
	scratch_state ^= scratch_state << 25;
	scratch_state ^= scratch_state >> 27;
	return (scratch_state * 0x2545f4914f6cdd1du >> 11) % below;
}

static inline void
scratch_begin(void)
{
	const char *given = getenv("KANDIL_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	printf("KANDIL_TEST_SEED=%u\n", seed);
	fflush(stdout); /* children are forked */
	scratch_state = seed * 0x9e3779b97f4a7c15u | 1;
	snprintf(scratch, sizeof(scratch), "%s/kandil-test-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(scratch) == NULL) {
		perror(scratch);
		exit(1);
	}
}

static inline void scratch_remove(const char *folder);

/* Removes what is in a folder. */
static inline void
scratch_clear(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL) {
		char *name = path_join(folder, entry->d_name);
		struct stat st;

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
				scratch_remove(name);
			else
				unlink(name);
		}
		free(name);
	}
	if (d)
		closedir(d);
}

/* And the folder. */
static inline void
scratch_remove(const char *folder)
{
	scratch_clear(folder);
	rmdir(folder);
}

/* Copies plain files from one folder into another, which is made. */
static inline void
scratch_copy(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *entry;

	mkdir(to, 0700);
	while (d && (entry = readdir(d)) != NULL) {
		char *source = path_join(from, entry->d_name);
		char *target = path_join(to, entry->d_name);
		struct buf content = {0};
		FILE *f;

		if (path_read(source, SIZE_MAX / 2, &content, NULL) == 0) {
			f = fopen(target, "wb");
			if (f == NULL || fwrite(content.ptr, 1, content.len, f) != content.len ||
			    fclose(f) != 0)
				abort();
		}
		buf_free(&content);
		free(source);
		free(target);
	}
	if (d)
		closedir(d);
}

#endif
