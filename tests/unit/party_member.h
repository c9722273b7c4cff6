/*
 * party_member: a hub and members of it, on loopback, each a process of its own or turned by
 * the test itself; what came to a member is in it, and in its file.
 */
#ifndef KANDIL_TEST_PARTY_MEMBER_H
#define KANDIL_TEST_PARTY_MEMBER_H

#include "common/mem.h"
#include "common/time.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"
#include "tools/collab/hub.h"
#include "tools/collab/party.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int port;
static struct sockets *loop; /* one a process: OpenSSL is not made for a second */

/* ---- processes ---- */

static inline pid_t
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

static inline void
end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static inline void
nap(int64_t ms)
{
	usleep((useconds_t)ms * 1000);
}

static inline char *
file(const char *what, int i)
{
	struct buf b = {0};

	buf_addf(&b, "%s/%s%d", scratch, what, i);
	return buf_detach(&b);
}

static inline void
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

static inline pid_t
start_hub(void)
{
	char *name = file("port", 0);
	struct buf text = {0};
	pid_t pid;

	unlink(name);
	pid = start(run_hub, 0);
	for (int i = 0; i < 3000 && path_read(name, 64, &text, NULL) != 0; i++)
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

static inline bool
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

static inline void
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

static inline void
close_member(struct member *m)
{
	party_close(m->party, NULL);
	free(m->dir);
	free(m->name);
	m->party = NULL;
}

static inline void
turn(struct member *m, int64_t most)
{
	sockets_wait(loop, m->wait < 0 || m->wait > most ? most : m->wait);
	m->wait = party_turn(m->party);
}

static inline bool
say(struct member *m, uint64_t n)
{
	struct buf b = {0};
	bool said;

	buf_addf(&b, "{\"n\":%llu}", (unsigned long long)n);
	said = party_say(m->party, S("message"), buf_slice(&b));
	buf_free(&b);
	return said;
}

/* Says the lines from n on, up to last. */
static inline void
say_lines(struct member *m, uint64_t n, uint64_t last)
{
	for (; n <= last; n++)
		CHECK(say(m, n));
	CHECK(party_commit(m->party));
}

#endif
