/*
 * party alone: what a member does by itself and with one other: a taker that is not ready, own
 * lines shown, an old copy of the disk, an outbox in use, a full disk.
 */
#include "tests/unit/party_member.h"
#include "tools/collab/party.h"

#include <sys/resource.h>

static void
until_relayed(struct member *m, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (party_relayed(m->party) < n && time_ms() < limit)
		turn(m, 20);
	CHECK(party_relayed(m->party) == n);
}

static void
check_self(void)
{
	struct member m = {.out = -1};
	char *self;
	int64_t limit;

	open_member(&m, "self", 10, true);
	self = xstrndup(party_self(m.party).ptr, party_self(m.party).len);
	say_lines(&m, 1, 3);
	until_relayed(&m, 3);
	turn(&m, 20);
	CHECK(m.entries == 0); /* the taker was not ready */
	CHECK(!party_is_whole(m.party));
	m.ready = true;
	limit = time_ms() + 30000;
	while (m.entries < 3 && time_ms() < limit)
		turn(&m, 20);
	CHECK(m.entries == 3 && m.last_seq == 3 && m.replays == 0);
	CHECK(party_is_whole(m.party) && party_confirmed(m.party) == 3);
	close_member(&m);
	/* The same again: nothing comes twice, and the numbers go on. */
	open_member(&m, "self", 10, true);
	CHECK(slice_is(party_self(m.party), self) && party_last(m.party) == 3);
	say_lines(&m, 4, 4);
	until_relayed(&m, 4);
	limit = time_ms() + 30000;
	while (m.entries < 4 && time_ms() < limit)
		turn(&m, 20);
	CHECK(m.entries == 4 && m.last_seq == 4 && m.gaps == 0);
	close_member(&m);
	free(self);
	buf_free(&m.got);
	buf_free(&m.url);
}

static void
copy_tree(const char *from, const char *to)
{
	struct buf b = {0};

	buf_addf(&b, "cp -a '%s' '%s'", from, to);
	CHECK(system(b.ptr) == 0);
	buf_free(&b);
}

/* Both turns, until the second has so many entries. */
static void
until_entries(struct member *a, struct member *b, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (b->entries < n && time_ms() < limit) {
		turn(a, 5);
		turn(b, 5);
	}
	CHECK(b->entries == n);
}

/* An old copy of the disk is put back: its numbers are not used again. */
static void
check_old_copy(void)
{
	struct member a = {.out = -1, .ready = true}, b = {.out = -1, .ready = true};
	char *copy = file("copy", 11), *self;
	int64_t limit;

	open_member(&b, "old", 12, false);
	open_member(&a, "old", 11, false);
	self = xstrndup(party_self(a.party).ptr, party_self(a.party).len);
	say_lines(&a, 1, 2);
	until_entries(&a, &b, 2);
	close_member(&a);
	a.dir = file("state", 11);
	copy_tree(a.dir, copy);
	free(a.dir);
	open_member(&a, "old", 11, false);
	say_lines(&a, 3, 5);
	until_entries(&a, &b, 5);
	close_member(&a);
	a.dir = file("state", 11);
	scratch_remove(a.dir);
	CHECK(rename(copy, a.dir) == 0);
	free(a.dir);
	open_member(&a, "old", 11, false);
	say_lines(&a, 3, 3); /* another third line */
	limit = time_ms() + 30000;
	while ((slice_is(party_self(a.party), self) || b.entries < 6) && time_ms() < limit) {
		turn(&a, 5);
		turn(&b, 5);
	}
	CHECK(!slice_is(party_self(a.party), self));
	CHECK(party_last(a.party) == 1);
	CHECK(b.entries == 6 && b.last_seq == 1 && b.gaps == 0);
	/* What the copy does not know comes back from the others. */
	until_entries(&b, &a, 3);
	CHECK(strstr(a.got.ptr, " 5 {\"n\":5} 0 0\n") != NULL);
	close_member(&a);
	close_member(&b);
	free(self);
	free(copy);
	buf_free(&a.got);
	buf_free(&b.got);
	buf_free(&a.url);
	buf_free(&b.url);
}

/* No file may grow: nothing is taken, and it goes on when it may. */
static void
check_full(void)
{
	struct member m = {.out = -1, .ready = true};
	struct rlimit none = {256, RLIM_INFINITY}, old;
	struct buf big = {0};
	int64_t limit;

	signal(SIGXFSZ, SIG_IGN);
	open_member(&m, "full", 13, false);
	buf_addc(&big, '"');
	for (int i = 0; i < 4000; i++)
		buf_addc(&big, 'x');
	buf_addc(&big, '"');
	getrlimit(RLIMIT_FSIZE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &none);
	CHECK(party_say(m.party, S("message"), buf_slice(&big)));
	CHECK(!party_commit(m.party));
	CHECK(party_last(m.party) == 0 && party_ended(m.party) == STATUS_OK);
	turn(&m, 5);
	CHECK(party_relayed(m.party) == 0);
	setrlimit(RLIMIT_FSIZE, &old);
	limit = time_ms() + 30000;
	while (!party_commit(m.party) && time_ms() < limit)
		turn(&m, 50);
	CHECK(party_last(m.party) == 1);
	until_relayed(&m, 1);
	CHECK(party_room(m.party, S("message")) < 256000 && party_room(m.party, S("message")) > 255000);
	close_member(&m);
	buf_free(&big);
	buf_free(&m.got);
	buf_free(&m.url);
}

static void
hold(int i)
{
	struct member m = {.out = -1};
	char *name = file("held", i);

	open_member(&m, "used", i, false);
	path_replace(name, S("held\n"), NULL, NULL);
	for (;;)
		turn(&m, 1000);
}

static void
open_used(int i)
{
	struct member m = {.out = -1};

	open_member(&m, "used", i, false);
}

static void
check_in_use(void)
{
	char *name = file("held", 14);
	pid_t holder = start(hold, 14), second;
	int status = 0;

	for (int i = 0; i < 3000 && access(name, F_OK) != 0; i++)
		nap(10);
	second = start(open_used, 14);
	waitpid(second, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE);
	end(&holder);
	second = start(hold, 14);
	unlink(name);
	for (int i = 0; i < 3000 && access(name, F_OK) != 0; i++)
		nap(10);
	CHECK(access(name, F_OK) == 0); /* a killed one does not keep it */
	end(&second);
	free(name);
}

int
main(void)
{
	pid_t hub;

	scratch_begin();
	die_verbosity(-1);
	die_name("party");
	hub = start_hub();
	check_in_use();
	check_self();
	check_old_copy();
	check_full();
	sockets_close(loop);
	end(&hub);
	scratch_remove(scratch);
	return check_done();
}
