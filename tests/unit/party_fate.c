/*
 * party fate: every line has one fate: the taker gets it once, or is told that it is missing, or,
 * where it may have had it before, that too; over a relay that refuses one, an inbox that is
 * damaged, a taker that dies, a receiver that has not stored it.
 */
#include "tests/unit/party_member.h"
#include "tools/collab/party.h"

enum { LATER = 2, LARGE = 280000, SMALL_KEEP = 64 << 10 };

static void
both_turn(struct member *a, struct member *b)
{
	turn(a, 5);
	turn(b, 5);
}

/* How often numbers 1 to last came, as lines and as gaps; true: each once. */
static bool
each_once(struct slice got, uint64_t last, uint64_t *messages)
{
	struct slice line;
	unsigned char times[256] = {0};
	bool good = last < sizeof(times);

	*messages = 0;
	while (slice_line(&got, &line)) {
		char *text = xstrndup(line.ptr, line.len);
		unsigned long long seq = 0, to, number;
		int replayed, what = -1;

		if (sscanf(text, "%*s %llu {\"n\":%llu} %d %d", &seq, &number, &replayed,
			&what) == 4) {
			good &= what == PARTY_MESSAGE && seq == number && !replayed;
			to = seq;
			++*messages;
		} else {
			good &= sscanf(text, "%*s %*u [%llu,%llu] %d %d", &seq, &to, &replayed,
				    &what) == 4 && what == PARTY_GAP;
		}
		free(text);
		for (; seq && good && seq <= to; seq++)
			good &= seq <= last && ++times[seq] == 1;
	}
	for (uint64_t seq = 1; seq <= last && good; seq++)
		good &= times[seq] == 1;
	return good;
}

static void
until_entries(struct member *a, struct member *b, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (b->entries < n && time_ms() < limit)
		both_turn(a, b);
}

/* Until b is known to a: nothing is confirmed without it from then on. */
static void
until_known(struct member *a, struct member *b)
{
	int64_t limit = time_ms() + 30000;
	size_t at = 0;
	struct slice from;

	while (!party_each(a->party, &at, &from) && time_ms() < limit) {
		turn(a, 5);
		if (b)
			turn(b, 5);
		at = 0;
	}
}

static void
until_confirmed(struct member *a, struct member *b, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (party_confirmed(a->party) < n && time_ms() < limit) {
		turn(a, 5);
		if (b)
			turn(b, 5);
	}
	CHECK(party_confirmed(a->party) == n);
}

static void
free_member(struct member *m)
{
	close_member(m);
	buf_free(&m->got);
	buf_free(&m->url);
}

/* The relay does not take one: the others are told that it is missing, and have the rest. */
static void
check_refused(void)
{
	struct member a = {.out = -1}, b = {.out = -1, .ready = true};
	struct buf large = {0};
	uint64_t messages;

	a.settings.max_payload = LARGE + 1000;
	open_member(&a, "refused", 1, false);
	open_member(&b, "refused", 2, false);
	until_known(&a, &b);
	buf_addc(&large, '"');
	for (int i = 0; i < LARGE; i++)
		buf_addc(&large, 'x');
	buf_addc(&large, '"');
	CHECK(say(&a, 1));
	CHECK(party_say(a.party, S("message"), buf_slice(&large)));
	say_lines(&a, 3, 4);
	until_entries(&a, &b, 4);
	CHECK(each_once(buf_slice(&b.got), 4, &messages) && messages == 3 && b.gaps == 1);
	free_member(&a);
	free_member(&b);
	buf_free(&large);
}

/* The first bit of a line in the inbox of member i. */
static void
damage(const struct member *m, uint64_t n)
{
	char *name = path_join(party_folder(m->party), "in/0000000000000001.seg1");
	struct buf bytes = {0}, line = {0};
	const char *at;
	int fd = open(name, O_RDWR | O_CLOEXEC);

	buf_addf(&line, "{\"n\":%llu}", (unsigned long long)n);
	CHECK(path_read(name, 1 << 20, &bytes, NULL) == 0);
	at = memmem(bytes.ptr, bytes.len, line.ptr, line.len);
	CHECK(at && pwrite(fd, "[", 1, at - bytes.ptr) == 1);
	close(fd);
	free(name);
	buf_free(&bytes);
	buf_free(&line);
}

/* What it has acknowledged is lost before the taker had it: the taker is told what. */
static void
check_damaged(void)
{
	struct member a = {.out = -1}, b = {.out = -1};
	uint64_t messages;

	open_member(&a, "damaged", 3, false);
	open_member(&b, "damaged", 4, false);
	until_known(&a, &b);
	say_lines(&a, 1, 20);
	until_confirmed(&a, &b, 20);
	damage(&b, 7);
	damage(&b, 8);
	close_member(&b);
	CHECK(b.entries == 0);
	b.ready = true;
	open_member(&b, "damaged", 4, false);
	until_entries(&a, &b, 19);
	CHECK(each_once(buf_slice(&b.got), 20, &messages) && messages == 18 && b.gaps == 1);
	/* Once. */
	close_member(&b);
	open_member(&b, "damaged", 4, false);
	say_lines(&a, 21, 21);
	until_entries(&a, &b, 20);
	CHECK(each_once(buf_slice(&b.got), 21, &messages) && messages == 19);
	free_member(&a);
	free_member(&b);
}

/* ---- a taker that dies ---- */

/* Member 6 has three lines in its inbox, and its taker had none. */
static void
fill_inbox(int unused)
{
	struct member a = {.out = -1}, b = {.out = -1};

	(void)unused;
	open_member(&a, "taker", 5, false);
	open_member(&b, "taker", 6, false);
	until_known(&a, &b);
	say_lines(&a, 1, 3);
	until_confirmed(&a, &b, 3);
	close_member(&b);
	close_member(&a);
	_exit(check_failed != 0);
}

static int dies_at;

/* Lets the line out, and is gone before it can say so. */
static bool
take_and_die(const struct party_entry *entry, void *state)
{
	struct member *m = state;

	CHECK(!entry->replayed);
	take(entry, state);
	if (dies_at && m->entries == (uint64_t)dies_at)
		_exit(check_failed != 0);
	return m->ready;
}

static void
feed_once(int at)
{
	static const struct party_hooks dying = {.take = take_and_die};
	struct member m = {.out = -1, .ready = at > 0};
	struct party_settings settings = {.settings = &m.settings, .topic = "taker",
	    .hooks = &dying, .state = &m};
	struct buf url = {0};
	char *dir = file("state", 6);
	struct err e;

	dies_at = at;
	buf_addf(&url, "http://127.0.0.1:%d", port);
	m.settings = (struct settings){.url = url.ptr, .as = "m6", .state_dir = dir, .vsn = 2,
	    .keep = 8 << 20, .since = 1};
	loop = sockets_open(&e);
	m.party = party_open(loop, &settings);
	party_turn(m.party);
	/* Killed, as the others: nothing is closed. */
	_exit(at != 0 || check_failed != 0);
}

static void
run_to_end(void (*run)(int), int argument)
{
	pid_t pid = start(run, argument);
	int status = 1;

	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What it was given when it died may have come through: that, and nothing else, says so. */
static void
check_taker(void)
{
	struct member a = {.out = -1}, b = {.out = -1, .ready = true};

	run_to_end(fill_inbox, 0);
	run_to_end(feed_once, 0); /* not ready: nothing of it came through */
	run_to_end(feed_once, 2);
	open_member(&a, "taker", 5, false);
	open_member(&b, "taker", 6, false);
	until_entries(&a, &b, 2);
	CHECK(b.entries == 2 && b.replays == 1 && b.last_seq == 3);
	CHECK(b.got.ptr && strstr(b.got.ptr, " 2 {\"n\":2} 1 0\n"));
	CHECK(b.got.ptr && strstr(b.got.ptr, " 3 {\"n\":3} 0 0\n"));
	free_member(&a);
	free_member(&b);
}

/* ---- a receiver that has not stored it ---- */

/* Member 8, when it is told to go on. */
static void
run_later(int unused)
{
	struct member m = {.ready = true};
	char *out = file("out", 8);

	(void)unused;
	raise(SIGSTOP);
	m.out = open(out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	open_member(&m, "kept", 8, false);
	for (;;)
		turn(&m, 20);
}

/* The number up to which member 8 has all lines, in order, none missing. */
static uint64_t
has_come(void)
{
	char *name = file("out", 8);
	struct buf text = {0};
	struct slice rest, line;
	uint64_t last = 0;

	path_read(name, SIZE_MAX / 2, &text, NULL);
	rest = buf_slice(&text);
	while (slice_line(&rest, &line)) {
		char *copy = xstrndup(line.ptr, line.len);
		unsigned long long seq = 0;
		int replayed = 0, what = -1;

		if (sscanf(copy, "%*s %llu %*s %d %d", &seq, &replayed, &what) == 3 &&
		    !(replayed && seq == last)) {
			CHECK(what == PARTY_MESSAGE && seq == last + 1);
			last = seq;
		}
		free(copy);
	}
	free(name);
	buf_free(&text);
	return last;
}

static void
until_come(struct member *a, uint64_t n)
{
	int64_t limit = time_ms() + 30000;

	while (has_come() < n && time_ms() < limit)
		turn(a, 20);
	CHECK(has_come() == n);
}

/*
 * It is here, and does not store what the relay has given it, until it dies and comes back: the
 * outbox takes no more than it can keep, and has all of it for the one that comes back.
 */
static void
check_kept(pid_t receivers[LATER])
{
	struct member a = {.out = -1};
	struct buf line = {0};
	int64_t limit;
	int status;

	a.settings.keep = SMALL_KEEP;
	waitpid(receivers[0], &status, WUNTRACED);
	waitpid(receivers[1], &status, WUNTRACED);
	kill(receivers[0], SIGCONT);
	open_member(&a, "kept", 7, false);
	until_known(&a, NULL);
	say_lines(&a, 1, 10);
	until_come(&a, 10);
	until_confirmed(&a, NULL, 10);
	kill(receivers[0], SIGSTOP);
	waitpid(receivers[0], &status, WUNTRACED);
	buf_addc(&line, '"');
	for (int i = 0; i < 1000; i++)
		buf_addc(&line, 'x');
	buf_addc(&line, '"');
	limit = time_ms() + 30000;
	while (party_said(a.party) < 200 && party_say(a.party, S("message"), buf_slice(&line)) &&
	    time_ms() < limit) {
		CHECK(party_commit(a.party));
		while (party_relayed(a.party) < party_last(a.party) && time_ms() < limit)
			turn(&a, 5);
	}
	CHECK(party_relayed(a.party) == party_last(a.party));
	CHECK(party_said(a.party) > 20 && party_said(a.party) < 10 + SMALL_KEEP / 1000);
	CHECK(!party_say(a.party, S("message"), buf_slice(&line)));
	CHECK(party_confirmed(a.party) == 10);
	end(&receivers[0]);
	kill(receivers[1], SIGCONT);
	until_come(&a, party_said(a.party));
	/* Then there is room again. */
	until_confirmed(&a, NULL, party_last(a.party));
	CHECK(party_say(a.party, S("message"), buf_slice(&line)) && party_commit(a.party));
	until_come(&a, party_last(a.party));
	end(&receivers[1]);
	free_member(&a);
	buf_free(&line);
}

int
main(void)
{
	pid_t hub, receivers[LATER];

	scratch_begin();
	die_verbosity(-1);
	die_name("party");
	hub = start_hub();
	/* All processes before the first of our own sockets. */
	for (int i = 0; i < LATER; i++)
		receivers[i] = start(run_later, 0);
	check_taker();
	check_kept(receivers);
	check_refused();
	check_damaged();
	sockets_close(loop);
	end(&hub);
	scratch_remove(scratch);
	return check_done();
}
