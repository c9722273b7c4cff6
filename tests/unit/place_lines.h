/*
 * place_lines: an outbox with lines in it, of which each is told by its payload, for the tests
 * of place.
 */
#ifndef KANDIL_TEST_PLACE_LINES_H
#define KANDIL_TEST_PLACE_LINES_H

#include "tools/collab/place.h"

#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>

static struct err e;
static struct place p;
static struct journal_report report;
static const char *root = scratch; /* where the places are */

static inline int
open_place(const char *url, struct slice topic, struct slice name)
{
	struct place_settings s = {.url = url, .topic = topic, .name = name, .folder = root};

	return place_open(&p, &s, &e);
}

static inline struct journal *
outbox(void)
{
	struct journal *j;

	journal_report_free(&report);
	if (place_outbox(&p, 0, &j, &report, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		check_failed++;
		exit(check_done());
	}
	return j;
}

/* The only payload that the n-th line ever has. */
static inline const char *
line(unsigned n)
{
	static char text[64];

	snprintf(text, sizeof(text), "{\"line\":%u}", n);
	return text;
}

/* So many lines in an outbox, of which the relay has taken some. */
static inline void
prepare(unsigned lines, unsigned relayed)
{
	struct journal *j;

	CHECK(open_place("ws://h", S("r"), S("anna")) == 0);
	j = outbox();
	for (unsigned i = 1; i <= lines; i++)
		CHECK(journal_append(j, slice(p.from), i, S("e"), slice(line(i)), 0, &e) == i);
	CHECK(journal_commit(j, true, &e) == 0);
	place_set(&p, PLACE_RELAYED, relayed);
	journal_close(j);
}

static inline void
remove_place(void)
{
	char *folder = path_join(root, "h_80");

	scratch_remove(folder);
	free(folder);
}

/* Every line behind `relayed` but one is there once, under new numbers from 1, of this identity. */
static inline bool
has(struct journal *j, unsigned relayed, unsigned lines, unsigned lost)
{
	struct journal_entry got;
	struct buf bytes = {0};
	uint64_t seq = 0;
	bool good = true;

	for (unsigned n = relayed + 1; n <= lines; n++)
		if (n != lost)
			good &= journal_find(j, slice(p.from), ++seq, &got, &bytes, &e) == 0 &&
			    slice_is(got.payload, line(n)) && slice_is(got.event, "e");
	good &= journal_find(j, slice(p.from), seq + 1, &got, &bytes, &e) == -1;
	good &= journal_last(j) == seq;
	buf_free(&bytes);
	return good;
}

/* The first bit of the n-th line's payload. */
static inline void
damage(const char *out, unsigned n)
{
	char *file = path_join(out, "0000000000000001.seg1");
	struct buf bytes = {0};
	const char *at;
	int fd = open(file, O_RDWR);

	CHECK(path_read(file, 1 << 20, &bytes, &e) == 0);
	at = memmem(bytes.ptr, bytes.len, line(n), strlen(line(n)));
	CHECK(at != NULL);
	if (at)
		CHECK(pwrite(fd, "[", 1, at - bytes.ptr) == 1);
	close(fd);
	buf_free(&bytes);
	free(file);
}

#endif
