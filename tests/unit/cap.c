/*
 * cap: what limits hold back is said the first time and then at most once a minute, with a
 * count that leaves none out, in a table that does not grow with those who are over them; no line
 * has anything of a key but its name.
 */
#include "tests/unit/check.h"
#include "tools/collab/hub_part.h"

#include "common/time.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMES = 100000, OTHERS = NAMES, MINUTE = 60000 };

static uint64_t seed;

static unsigned
random_below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* ---- what is said ---- */

static int out, err; /* a file; stderr */
static FILE *said;
static struct {
	uint64_t first, again, more; /* lines without a count, with one; the sum of counts */
	int64_t at[NAMES + 1];	     /* when it was said of whom, 0: never */
} lines;

static void
read_line(const char *line, int64_t now)
{
	const char *name = strchr(line, '\''), *end = strstr(line, " times more in ");
	size_t who = name ? strtoul(name + 2, NULL, 10) : OTHERS;

	CHECK(name ? name[1] == 'n' && who < NAMES : strstr(line, ": others are over --") != NULL);
	CHECK(strstr(line, "over --max-joins=5, ") && !strstr(line, "secret"));
	CHECK(lines.at[who] == 0 || now - lines.at[who] >= MINUTE);
	lines.at[who] = now;
	if (end == NULL) {
		lines.first++;
		return;
	}
	lines.again++;
	while (end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	lines.more += strtoull(end, NULL, 10);
}

/* name NULL: a turn alone. */
static void
act(struct hub *hub, const char *name, int64_t now)
{
	char line[1024];

	dup2(out, STDERR_FILENO);
	if (name)
		hub_capped(hub, CAP_JOINS, name, NULL, now);
	else
		caps_turn(hub, now);
	dup2(err, STDERR_FILENO);
	while (fgets(line, sizeof(line), said))
		read_line(line, now);
	clearerr(said);
}

/* ---- checks ---- */

static void
start(struct hub *hub)
{
	*hub = (struct hub){.settings = {.max_joins = 5}};
	memset(&lines, 0, sizeof(lines));
}

static void
test_one(void)
{
	struct hub hub;
	int64_t now = 1000;

	start(&hub);
	act(&hub, "n1", now);
	CHECK(lines.first == 1);
	for (int i = 0; i < 500; i++) {
		act(&hub, "n1", now += 100);
		act(&hub, NULL, now);
	}
	CHECK(lines.first == 1 && lines.again == 0 && hub.metrics.capped[CAP_JOINS] == 501);
	/* Quiet: the count is not kept back. */
	act(&hub, NULL, 1000 + MINUTE);
	CHECK(lines.again == 1 && lines.more == 500);
	act(&hub, NULL, 1000 + 2 * MINUTE);
	CHECK(lines.first + lines.again == 2 && hub.ntold == 0);
	caps_free(&hub);
}

/* At random: each is a line or in the count of one, and there are no more than so many. */
static void
test_many(unsigned names)
{
	struct hub hub;
	int64_t now = 1;
	uint64_t events = 20000;
	char name[24];

	start(&hub);
	for (uint64_t i = 0; i < events; i++) {
		now += random_below(100);
		act(&hub, NULL, now);
		snprintf(name, sizeof(name), "n%u", random_below(names));
		act(&hub, name, now);
	}
	act(&hub, NULL, now + MINUTE);
	CHECK(lines.first + lines.more == events && hub.metrics.capped[CAP_JOINS] == events);
	CHECK(hub.told_cap <= 128);
	CHECK((int64_t)(lines.first + lines.again) <=
	    (now / MINUTE + 2) * (names < 65 ? names : 65));
	caps_free(&hub);
}

int
main(int argc, char **argv)
{
	char file[] = P_tmpdir "/kandil-cap-XXXXXX";

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time_ns();
	printf("seed %llu\n", (unsigned long long)seed);
	out = mkstemp(file);
	err = dup(STDERR_FILENO);
	if (out < 0 || err < 0 || fcntl(out, F_SETFL, O_APPEND) < 0 ||
	    (said = fopen(file, "r")) == NULL)
		abort();
	unlink(file);
	test_one();
	test_many(3);
	test_many(60);
	test_many(NAMES);
	return check_done();
}
