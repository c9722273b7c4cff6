/*
 * party: three members and a hub, each a process of its own on loopback, which say lines
 * while all of them are killed at random and started again. In the end everybody has
 * each line of everybody else, once (what may be there twice says so), in order, nothing besides.
 * Then what a member alone does: a taker that is not ready, own lines shown, an old copy of
 * the disk, an outbox in use, a full disk.
 */
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"
#include "tools/collab/hub.h"
#include "tools/collab/party.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
enum { MEMBERS = 3, LINES = 150, KILLS = 12, PATIENCE_MS = 180000 };
#else
enum { MEMBERS = 3, LINES = 400, KILLS = 25, PATIENCE_MS = 120000 };
#endif

static int port;
static struct sockets *loop; /* one a process: OpenSSL is not made for a second */

/* ---- processes ---- */

static pid_t
start(void (*run)(int), int argument)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	run(argument);
	_exit(0);
}

static void
end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static void
nap(int64_t ms)
{
	usleep((useconds_t)ms * 1000);
}

static char *
file(const char *what, int i)
{
	struct buf b = {0};

	buf_addf(&b, "%s/%s%d", scratch, what, i);
	return buf_detach(&b);
}

static void
run_hub(int unused)
{
	struct hub_settings settings = {.max_payload = 256000, .max_queue = 1 << 20,
	    .max_memory = 64 << 20, .max_connections = 100, .max_topics = 100, .max_channels = 10};
	struct err e;
	struct hub *hub;
	char *name = file("port", 0);
	struct buf text = {0};

	(void)unused;
	loop = sockets_open(&e);
	hub = hub_open(loop, &settings, &e);
	for (int i = 0; hub_listen(hub, "127.0.0.1", port, NULL, NULL, &e) != 0 && i < 100; i++)
		nap(20);
	buf_addf(&text, "%d\n", sockets_port(loop));
	path_replace(name, buf_slice(&text), NULL, NULL);
	for (;;)
		sockets_wait(loop, hub_turn(hub, time_ms()));
}

static pid_t
start_hub(void)
{
	char *name = file("port", 0);
	struct buf text = {0};
	pid_t pid;

	unlink(name);
	pid = start(run_hub, 0);
	for (int i = 0; i < 500 && path_read(name, 64, &text, NULL) != 0; i++)
		nap(10);
	port = (int)strtol(text.len ? text.ptr : "0", NULL, 10);
	free(name);
	buf_free(&text);
	return pid;
}

/* ---- a member ---- */

struct member {
	struct settings settings;
	struct buf url;
	char *dir, *name;
	struct party *party;
	int out;
	bool ready;
	uint64_t entries, gaps, replays, last_seq;
	struct buf got;
	int64_t wait;
};

static bool
take(const struct party_entry *entry, void *state)
{
	struct member *m = state;
	struct buf line = {0};

	if (!m->ready)
		return false;
	m->entries++;
	m->gaps += entry->what == PARTY_GAP;
	m->replays += entry->replayed;
	m->last_seq = entry->seq;
	buf_addf(&line, "%.*s %llu %.*s %d %d\n", (int)entry->from.len, entry->from.ptr,
	    (unsigned long long)entry->seq, (int)entry->payload.len, entry->payload.ptr,
	    entry->replayed, (int)entry->what);
	if (m->out >= 0 && write(m->out, line.ptr, line.len) != (ssize_t)line.len)
		_exit(2);
	buf_addslice(&m->got, buf_slice(&line));
	buf_free(&line);
	return true;
}

static const struct party_hooks hooks = {.take = take};

static void
open_member(struct member *m, const char *topic, int i, bool self)
{
	struct party_settings settings = {.settings = &m->settings, .topic = topic, .self = self,
	    .hooks = &hooks, .state = m};
	struct buf name = {0};
	struct err e;

	buf_reset(&m->url);
	buf_addf(&m->url, "http://127.0.0.1:%d", port);
	buf_addf(&name, "m%d", i);
	m->name = buf_detach(&name);
	m->dir = file("state", i);
	m->settings.url = m->url.ptr;
	m->settings.as = m->name;
	m->settings.state_dir = m->dir;
	m->settings.vsn = 2;
	if (m->settings.keep == 0)
		m->settings.keep = 8 << 20;
	m->settings.since = 1;
	if (loop == NULL)
		loop = sockets_open(&e);
	m->party = party_open(loop, &settings);
	m->wait = 0;
}

static void
close_member(struct member *m)
{
	party_close(m->party, NULL);
	free(m->dir);
	free(m->name);
	m->party = NULL;
}

static void
turn(struct member *m, int64_t most)
{
	sockets_wait(loop, m->wait < 0 || m->wait > most ? most : m->wait);
	m->wait = party_turn(m->party);
}

static bool
say(struct member *m, uint64_t n)
{
	struct buf b = {0};
	bool said;

	buf_addf(&b, "{\"n\":%llu}", (unsigned long long)n);
	said = party_say(m->party, S("message"), buf_slice(&b));
	buf_free(&b);
	return said;
}

/* Says lines, each with its number, until it is killed. */
static void
run_member(int i)
{
	struct member m = {.ready = true};
	char *out = file("out", i);
	uint64_t n;

	m.out = open(out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	open_member(&m, "test", i, false);
	n = party_last(m.party);
	for (;;) {
		for (int k = 0; k < 5 && n < LINES && say(&m, n + 1); k++)
			n++;
		party_commit(m.party);
		turn(&m, 10);
	}
}

/* ---- what came ---- */

/*
 * Reads what a member wrote: true when it has all of both others; what is wrong is
 * counted.
 */
static bool
check_output(int i, bool final)
{
	char *name = file("out", i);
	struct buf text = {0};
	struct slice rest, line;
	char senders[MEMBERS][64] = {{0}};
	uint64_t last[MEMBERS] = {0};
	size_t n = 0, wrong = 0, doubled = 0;
	bool all = true;

	path_read(name, SIZE_MAX / 2, &text, NULL);
	rest = buf_slice(&text);
	while (slice_line(&rest, &line)) {
		char from[64] = {0};
		unsigned long long seq = 0, number = 0;
		int replayed = 0, what = 0;
		size_t k = 0;
		char *copy = xstrndup(line.ptr, line.len);

		if (sscanf(copy, "%63s %llu {\"n\":%llu} %d %d", from, &seq, &number, &replayed,
			&what) != 5 || what != PARTY_MESSAGE || seq != number)
			wrong++;
		free(copy);
		while (k < n && strcmp(senders[k], from) != 0)
			k++;
		if (k == n && n < MEMBERS)
			snprintf(senders[n++], 64, "%s", from);
		if (k < MEMBERS && seq == last[k] + 1)
			last[k]++;
		else if (k < MEMBERS && replayed && seq == last[k])
			doubled++;
		else
			wrong++;
	}
	for (size_t k = 0; k < MEMBERS - 1; k++)
		all = all && last[k] == LINES;
	if (final) {
		CHECK(wrong == 0);
		CHECK(n == MEMBERS - 1);
		CHECK(all);
		if (wrong || !all)
			printf("member %d: %llu and %llu lines of %d, %zu wrong, %zu doubled\n", i,
			    (unsigned long long)last[0], (unsigned long long)last[1], LINES, wrong,
			    doubled);
	}
	free(name);
	buf_free(&text);
	return all;
}

static void
check_kills(void)
{
	pid_t hub = start_hub(), members[MEMBERS] = {0};
	int64_t until;
	bool all = false;

	for (int i = 0; i < MEMBERS; i++)
		members[i] = start(run_member, i);
	for (int kills = 0; kills < KILLS; kills++) {
		size_t victim = scratch_random(MEMBERS + 1);

		nap((int64_t)scratch_random(200));
		end(victim < MEMBERS ? &members[victim] : &hub);
		nap((int64_t)scratch_random(60));
		if (victim < MEMBERS)
			members[victim] = start(run_member, (int)victim);
		else
			hub = start_hub();
	}
	until = time_ms() + PATIENCE_MS;
	while (!all && time_ms() < until) {
		nap(50);
		all = true;
		for (int i = 0; i < MEMBERS; i++)
			all = check_output(i, false) && all;
	}
	nap(300); /* what should not come would come now */
	for (int i = 0; i < MEMBERS; i++)
		end(&members[i]);
	end(&hub);
	for (int i = 0; i < MEMBERS; i++)
		check_output(i, true);
}

/* ---- a member alone, and with another ---- */

static void
until_relayed(struct member *m, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (party_relayed(m->party) < n && time_ms() < limit)
		turn(m, 20);
	CHECK(party_relayed(m->party) == n);
}

/* Says the lines from n on, up to last. */
static void
say_lines(struct member *m, uint64_t n, uint64_t last)
{
	for (; n <= last; n++)
		CHECK(say(m, n));
	CHECK(party_commit(m->party));
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

	for (int i = 0; i < 500 && access(name, F_OK) != 0; i++)
		nap(10);
	second = start(open_used, 14);
	waitpid(second, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE);
	end(&holder);
	second = start(hold, 14);
	unlink(name);
	for (int i = 0; i < 500 && access(name, F_OK) != 0; i++)
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
	check_kills();
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
