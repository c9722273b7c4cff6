/*
 * outbox: whatever lies in a journal's folder, it opens, mends itself once and
 * for all, reads only what is whole, and goes on. The first byte's bit 0 makes it an
 * outbox, bit 1 a second segment, bit 2 damages the checksums' file. The rest is pieces: a byte says
 * how long it is and whether it is copied as it is, or is the head of an entry (and its
 * payload) that gets a valid checksum, so that the fuzzer comes past that.
 */
#include "tests/unit/scratch.h"
#include "tools/collab/journal_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static const char *const names[] = {"0000000000000001.seg1", "0000000000000008.seg1"};

static char *
in_dir(const char *name)
{
	return path_join(dir, name);
}

static void
write_file(const char *name, struct slice content)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(content.ptr, 1, content.len, f) != content.len || fclose(f) != 0)
		abort();
	free(path);
}

/* A segment of the pieces in data; how many bytes of it they take. */
static size_t
make_segment(uint64_t first, const uint8_t *data, size_t size, struct buf *out)
{
	struct segment s;
	size_t at = 0;

	segment_begin(&s, first, out);
	while (at < size && data[at] != 0xff) {
		size_t len = data[at] & 0x7f, head = sizeof(struct entry_head);
		bool raw = data[at] & 0x80;
		const char *piece = (const char *)data + ++at;
		struct entry_head h;

		if (len > size - at)
			len = size - at;
		at += len;
		if (raw || len < head) {
			buf_add(out, piece, len);
			continue;
		}
		memcpy(&h, piece, head);
		entry_put(&s, h, (struct slice){piece + head, (len - head) / 4},
		    (struct slice){piece + head + (len - head) / 4, len - head - (len - head) / 4}, out);
	}
	return at < size ? at + 1 : at;
}

static struct journal *
open_it(bool outbox, struct journal_report *report)
{
	struct journal_settings settings = {.folder = dir, .outbox = outbox};
	struct journal *j;
	struct err e;

	if (journal_open(&j, &settings, report, &e) != 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return j;
}

static void
go_through(struct journal *j, const struct journal_report *report)
{
	uint64_t first = journal_first(j), last = journal_last(j), n = 0;
	struct journal_entry entry;
	struct buf out = {0};
	struct err e;

	for (uint64_t p = first; p && p <= last; p++) {
		if (p == first + 1000 && last - p > 1000)
			p = last - 1000; /* crafted: that many were lost */
		if (journal_read(j, p, &entry, &out, &e) == 0) {
			n++;
			if (entry.place != p)
				abort();
			journal_find(j, entry.from, entry.seq, &entry, &out, NULL);
		} else if (strcmp(e.code, "not_found") != 0) {
			abort();
		}
	}
	if (n > report->entries)
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_report report, second;
	struct journal_entry entry;
	struct buf out = {0};
	struct journal *j;
	int64_t place;
	size_t used;
	bool outbox;

	if (size == 0)
		return 0;
	if (*dir == '\0') {
		snprintf(dir, sizeof(dir), "%s/kandil-fuzz-XXXXXX",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (mkdtemp(dir) == NULL)
			abort();
	}
	outbox = data[0] & 1;
	used = 1 + make_segment(1, data + 1, size - 1, &out);
	write_file(names[0], buf_slice(&out));
	buf_reset(&out);
	if (data[0] & 2) {
		make_segment(8, data + used, size - used, &out);
		write_file(names[1], buf_slice(&out));
	}
	if (data[0] & 4)
		write_file("synced", (struct slice){(const char *)data, size});
	j = open_it(outbox, &report);
	go_through(j, &report);
	place = journal_append(j, S("me"), 0, S("e"), S("value"), 0, NULL);
	if (place <= 0 || journal_commit(j, true, NULL) != 0)
		abort();
	journal_close(j);
	j = open_it(outbox, &second);
	if (second.damaged || second.lost || second.torn)
		abort();
	if (journal_read(j, (uint64_t)place, &entry, &out, NULL) != 0 ||
	    !slice_is(entry.payload, "value"))
		abort();
	journal_close(j);
	journal_report_free(&report);
	journal_report_free(&second);
	buf_free(&out);
	scratch_remove(dir);
	*dir = '\0';
	return 0;
}
