/*
 * party unread: what a member has on its disk and cannot read. The disk may get over it; what is
 * damaged for good is lost alone, and everybody who lacks it is told.
 */
#include "tests/unit/party_member.h"
#include "tools/collab/party_part.h"

#include <dirent.h>

enum { LINES = 60 };

/* The folder `out` or `in` of a member. */
static char *
journal_of(const struct member *m, const char *what)
{
	return path_join(party_folder(m->party), what);
}

/* Turns over bits of a byte that lies so far from where the text begins. False: it is not there. */
static bool
damage_segment(const char *name, const char *text, long from)
{
	struct buf bytes = {0};
	const char *at;
	char byte;
	int fd = open(name, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0 && path_read(name, 16 << 20, &bytes, NULL) == 0);
	at = bytes.len ? memmem(bytes.ptr, bytes.len, text, strlen(text)) : NULL;
	if (at) {
		byte = (char)(at[from] ^ 0x15);
		CHECK(pwrite(fd, &byte, 1, at - bytes.ptr + from) == 1);
	}
	close(fd);
	buf_free(&bytes);
	return at != NULL;
}

/* Likewise, in whichever segment it is: there may be one more, by how many were committed at once. */
static void
damage(const struct member *m, const char *what, const char *text, long from)
{
	char *folder = journal_of(m, what);
	DIR *d = opendir(folder);
	struct dirent *entry;
	int found = 0;

	while (d && (entry = readdir(d)) != NULL) {
		char *name = path_join(folder, entry->d_name);

		if (strstr(entry->d_name, ".seg1") && strstr(entry->d_name, "damaged") == NULL)
			found += damage_segment(name, text, from);
		free(name);
	}
	if (d)
		closedir(d);
	CHECK(found == 1);
	free(folder);
}

static bool
say_long(struct member *m, uint64_t n)
{
	struct buf b = {0};
	bool said;

	buf_addf(&b, "{\"n\":%llu,\"x\":\"%08192d\"}", (unsigned long long)n, 0);
	said = party_say(m->party, S("message"), buf_slice(&b));
	buf_free(&b);
	return said;
}

/* Long ones: no more than a few of them are in memory. */
static void
say_longs(struct member *m, uint64_t n, uint64_t last)
{
	for (; n <= last; n++)
		CHECK(say_long(m, n));
	CHECK(party_commit(m->party));
}

/* Both turns until the second has so many entries, and the relay all of the first. */
static void
until(struct member *a, struct member *b, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while ((b->entries < n || party_relayed(a->party) < party_last(a->party)) &&
	    !party_ended(a->party) && !party_ended(b->party) && time_ms() < limit) {
		turn(a, 5);
		turn(b, 5);
	}
	CHECK(b->entries == n);
}

/* What came is lines 1 to LINES in order, but lost, which is a gap: where it was, or at the end. */
static void
check_got(const struct member *m, uint64_t lost, bool late)
{
	struct slice rest = buf_slice(&m->got), line;
	uint64_t next = 1, gaps = 0;

	while (slice_line(&rest, &line)) {
		unsigned long long seq = 0, n = 0, first = 0, last = 0;
		char *text = xstrndup(line.ptr, line.len);

		if (sscanf(text, "%*s %llu {\"n\":%llu,", &seq, &n) == 2) {
			next += late && next == lost;
			CHECK(seq == n && n == next);
			next++;
		} else {
			CHECK(sscanf(text, "%*s %llu [%llu,%llu]", &seq, &first, &last) == 3);
			CHECK(first == lost && last == lost && (late || next == lost));
			next += !late;
			gaps++;
		}
		free(text);
	}
	CHECK(gaps == (lost > 0));
	CHECK(next + (late && next == lost) == LINES + 1);
}

static void
close_two(struct member *a, struct member *b)
{
	close_member(a);
	close_member(b);
	buf_free(&a->got);
	buf_free(&b->got);
	buf_free(&a->url);
	buf_free(&b->url);
}

/*
 * A line of the outbox, or (from below 0) what the journal notes before it, is damaged before it
 * went out: all others go, under the same name, and it is a gap.
 */
static void
check_out(const char *topic, uint64_t lost, long from)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1, .ready = true};
	char *self, text[32];

	open_member(&a, topic, 1, false);
	open_member(&b, topic, 2, false);
	self = xstrndup(party_self(a.party).ptr, party_self(a.party).len);
	say_longs(&a, 1, LINES);
	snprintf(text, sizeof(text), "{\"n\":%d,", (int)lost);
	damage(&a, "out", text, from);
	until(&a, &b, LINES);
	check_got(&b, lost, false);
	CHECK(slice_is(party_self(a.party), self) && party_relayed(a.party) == LINES);
	/* Its number is not used again. */
	say_longs(&a, LINES + 1, LINES + 1);
	until(&a, &b, LINES + 1);
	CHECK(b.last_seq == LINES + 1);
	free(self);
	close_two(&a, &b);
}

/* It comes back before patience is over: nothing is lost, or out of order. */
static void
check_passing(void)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1, .ready = true};
	int64_t limit = time_ms() + 30000;

	open_member(&a, "passing", 3, false);
	open_member(&b, "passing", 4, false);
	say_longs(&a, 1, LINES);
	damage(&a, "out", "{\"n\":7,", 4);
	while (a.party->unread_out.since == 0 && time_ms() < limit)
		turn(&a, 5);
	CHECK(a.party->unread_out.since != 0 && party_relayed(a.party) <= 6);
	/* The same bits once more, before the next turn: however slow we are, it is whole by then. */
	damage(&a, "out", "{\"n\"\x2f" "7,", 4);
	until(&a, &b, LINES);
	check_got(&b, 0, false);
	close_two(&a, &b);
}

/* What was acknowledged and not taken yet goes bad. */
static void
check_in(const char *topic, uint64_t lost)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1};
	char text[32];
	struct slice from;
	size_t at = 0;
	int64_t limit = time_ms() + 30000;

	open_member(&a, topic, 5, false);
	open_member(&b, topic, 6, false);
	/* Who is not seen yet is not waited for. */
	while (!party_each(a.party, &at, &from) && time_ms() < limit) {
		turn(&a, 5);
		turn(&b, 5);
		at = 0;
	}
	say_longs(&a, 1, LINES);
	while (party_confirmed(a.party) < LINES && time_ms() < limit) {
		turn(&a, 5);
		turn(&b, 5);
	}
	CHECK(party_confirmed(a.party) == LINES && b.entries == 0);
	snprintf(text, sizeof(text), "{\"n\":%d,", (int)lost);
	damage(&b, "in", text, 4);
	b.ready = true;
	until(&a, &b, LINES);
	check_got(&b, lost, true);
	/* It goes on, and nothing comes a second time. */
	say_longs(&a, LINES + 1, LINES + 1);
	until(&a, &b, LINES + 1);
	CHECK(b.gaps == 1 && b.last_seq == LINES + 1);
	close_two(&a, &b);
}

/* What cannot be mended either ends it, and nothing is given up. */
static void
check_hopeless(void)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1, .ready = true};
	char *out, *away = file("out", 7);

	open_member(&a, "hopeless", 7, false);
	open_member(&b, "hopeless", 8, false);
	say_longs(&a, 1, LINES);
	damage(&a, "out", "{\"n\":7,", 4);
	out = journal_of(&a, "out");
	CHECK(rename(out, away) == 0 && path_replace(out, S("no folder\n"), NULL, NULL) == 0);
	until(&a, &b, 6);
	for (int64_t limit = time_ms() + 30000; !party_ended(a.party) && time_ms() < limit;)
		turn(&a, 5);
	CHECK(party_ended(a.party) == STATUS_FAILED && party_relayed(a.party) == 6);
	CHECK(b.gaps == 0);
	free(out);
	free(away);
	close_two(&a, &b);
}

int
main(void)
{
	pid_t hub;

	scratch_begin();
	die_verbosity(-1);
	die_name("party");
	hub = start_hub();
	check_out("middle", 7, 4);
	check_out("last", LINES, 4);
	check_out("index", 7, -7 - 12);
	check_passing();
	check_in("held", 20);
	check_in("end", LINES);
	check_hopeless();
	sockets_close(loop);
	end(&hub);
	scratch_remove(scratch);
	return check_done();
}
