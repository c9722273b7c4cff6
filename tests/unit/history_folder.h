/*
 * history_folder: histories in a folder of the test's own, and what is in it.
 */
#ifndef KANDIL_TEST_HISTORY_FOLDER_H
#define KANDIL_TEST_HISTORY_FOLDER_H

#include "tools/collab/history.h"

#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>

static struct err e;

static inline unsigned
random_below(unsigned n)
{
	return (unsigned)scratch_random(n);
}

/* The only file with that ending, or NULL. */
static inline char *
file_of(const char *ending)
{
	static char name[600];
	DIR *folder = opendir(scratch);
	struct dirent *entry;
	bool found = false;

	while (folder && (entry = readdir(folder)) != NULL) {
		if (!slice_ends(slice(entry->d_name), ending))
			continue;
		snprintf(name, sizeof(name), "%s/%s", scratch, entry->d_name);
		found = true;
	}
	if (folder)
		closedir(folder);
	return found ? name : NULL;
}

static inline struct histories *
open_all(size_t messages, int64_t ms, size_t bytes, bool files)
{
	struct histories_settings settings = {messages, ms, bytes, files ? scratch : NULL};
	struct histories *all = histories_open(&settings, &e);

	if (all == NULL)
		fprintf(stderr, "%s\n", e.text);
	CHECK(all != NULL);
	return all;
}

static inline void
put_text(struct histories *all, const char *topic, const char *text)
{
	struct history *h = history_of(all, slice(topic), false, true);
	struct history_message m = {.json = true, .event = S("e"), .payload = slice(text)};

	CHECK(history_put(h, &m, &e) == 0);
}

/* The end of each test's main. */
static inline int
history_done(void)
{
	scratch_remove(scratch);
	return check_done();
}

#endif
