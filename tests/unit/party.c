/*
 * party: three members and a hub, each a process of its own on loopback, which say lines
 * while all of them are killed at random and started again. In the end everybody has
 * each line of everybody else, once (what may be there twice says so), in order, nothing besides.
 */
#include "tests/unit/party_member.h"
#include "tools/collab/party.h"

#if defined(__SANITIZE_ADDRESS__)
enum { MEMBERS = 3, LINES = 150, KILLS = 12, PATIENCE_MS = 180000 };
#else
enum { MEMBERS = 3, LINES = 400, KILLS = 25, PATIENCE_MS = 120000 };
#endif

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

int
main(void)
{
	scratch_begin();
	die_verbosity(-1);
	die_name("party");
	check_kills();
	scratch_remove(scratch);
	return check_done();
}
