/*
 * serve: the hub as a program that runs until it is told to end.
 *
 * SIGTERM drains it, for at most five seconds, and is then a success (status 0): that
 * is how services are stopped. SIGINT does the same and ends by the signal, as
 * everywhere in kandil. A second signal ends it at once. SIGHUP reads the key file again.
 */
#include "common/http.h"
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/collab.h"
#include "tools/collab/hub.h"
#include "tools/collab/keyfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	DRAIN_MS = 5000,
	SILENT_MS = 2000, /* of them nothing is said */
	UNLIMITED = 100000, /* connections, where their number is not limited */
	OTHER_FILES = 600, /* besides connections: the history's, the keys', half-open ones */
};

struct serve {
	const struct settings *settings;
	struct sockets *sockets;
	struct hub *hub;
	struct keyring *keyring;
	int signals;	/* a descriptor */
	int ended_by;	/* the signal; 0: none yet */
	bool at_once;
};

/* ---- addresses ---- */

struct address {
	char host[256];
	int port;
	bool loopback;
};

static _Noreturn void
bad_address(const char *text)
{
	die(STATUS_USAGE, "%s: '%s' is no address: write ADDRESS:PORT, such as 127.0.0.1:4000, "
			  "[::1]:4000 or *:4000", opt_origin("listen"), text);
}

/* HOST:PORT, [IPV6]:PORT, PORT alone (loopback). */
static void
read_address(const char *text, struct address *a)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	struct slice host = {text, colon ? (size_t)(colon - text) : 0};
	char *end;
	long number;

	errno = 0;
	number = strtol(port, &end, 10);
	if (end == port || *end || *port == '-' || *port == '+' || errno || number > 65535)
		bad_address(text);
	if (host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = (struct slice){host.ptr + 1, host.len - 2};
	else if (memchr(host.ptr, ':', host.len))
		bad_address(text); /* IPv6 without brackets: where does it end? */
	if (colon == NULL || slice_is(host, "localhost"))
		host = S("127.0.0.1"); /* not what a resolver makes of it */
	else if (host.len == 0)
		host = S("*");
	if (host.len >= sizeof(a->host))
		bad_address(text);
	snprintf(a->host, sizeof(a->host), "%.*s", (int)host.len, host.ptr);
	a->port = (int)number;
	a->loopback = http_loopback(host) && !slice_ends(host, "t"); /* x.localhost is a name */
}

static void
say_listening(const struct serve *s, const struct address *a)
{
	bool six = strchr(a->host, ':') != NULL;

	note("listening on %s://%s%s%s:%d%s", s->settings->cert ? "https" : "http", six ? "[" : "",
	    a->host, six ? "]" : "", sockets_port(s->sockets),
	    s->keyring ? "" : ", anybody on this machine may join: no --key-file");
}

static void
listen_all(struct serve *s)
{
	const struct settings *set = s->settings;
	struct address a;
	struct err e;

	for (size_t i = 0; i < set->listen.n; i++) {
		read_address(set->listen.v[i], &a);
		if (hub_listen(s->hub, a.host, a.port, set->cert, set->tls_key, &e) != 0)
			die(STATUS_FAILED, "%s", e.text);
		say_listening(s, &a);
	}
}

/* Before anything is opened. */
static void
check_addresses(const struct settings *set)
{
	struct address a;

	if (set->listen.n == 0)
		die(STATUS_USAGE, "--listen: it is empty: name an ADDRESS:PORT");
	for (size_t i = 0; i < set->listen.n; i++) {
		read_address(set->listen.v[i], &a);
		if (set->key_file == NULL && !a.loopback)
			die(STATUS_USAGE, "%s: '%s' can be reached from other machines: name a "
					  "--key-file, or listen on 127.0.0.1",
			    opt_origin("listen"), set->listen.v[i]);
	}
}

/* ---- settings ---- */

/* "100": messages; "10m": for so long; "0": none. */
static void
read_history(const struct settings *set, struct hub_settings *hub)
{
	const char *text = set->history;
	char *end;
	long number;

	if (text == NULL) {
		if (set->history_dir)
			die(STATUS_USAGE,
			    "--history-dir: how much is to be kept? name --history=N or a length");
		return;
	}
	errno = 0;
	number = strtol(text, &end, 10);
	if (end != text && *end == '\0') {
		if (number < 0 || errno)
			die(STATUS_USAGE, "%s: '%s' is no number of messages",
			    opt_origin("history"), text);
		hub->history_messages = (size_t)number;
	} else if (time_parse_length(slice(text), &hub->history_ms) != 0 || hub->history_ms < 0) {
		die(STATUS_USAGE,
		    "%s: '%s' is neither a number of messages nor a length such as 10m",
		    opt_origin("history"), text);
	}
	if (hub->history_messages || hub->history_ms)
		hub->history_dir = set->history_dir;
}

/* A page's origin as browsers send it, or a star. */
static void
check_origins(const struct settings *set)
{
	for (size_t i = 0; i < set->origin.n; i++) {
		struct slice origin = slice(set->origin.v[i]);
		const char *host = memmem(origin.ptr, origin.len, "://", 3);

		if (slice_is(origin, "*"))
			continue;
		if (host == NULL || host[3] == '\0' || strchr(host + 3, '/'))
			die(STATUS_USAGE,
			    "%s: '%s' is no origin: write it as https://app.example, no path",
			    opt_origin("origin"), set->origin.v[i]);
	}
}

/* What TLS says of the two together names both. */
static void
check_file(const char *option, const char *file)
{
	if (file && access(file, R_OK) != 0)
		die(STATUS_FAILED, "%s: cannot read '%s':", opt_origin(option), file);
}

static struct hub_settings
hub_settings(const struct settings *set)
{
	struct hub_settings hub = {
	    .origins = set->origin.v,
	    .norigins = set->origin.n,
	    .max_payload = set->max_payload,
	    .max_queue = set->max_queue,
	    .max_memory = set->max_memory,
	    .max_connections = set->max_connections,
	    .max_topics = set->max_topics,
	    .max_channels = set->max_channels,
	    .max_joins = (double)set->max_joins,
	    .max_rate = set->max_rate,
	    .max_key_rate = set->max_key_rate,
	    .max_topic_rate = set->max_topic_rate,
	    .max_presence_rate = set->max_presence_rate,
	};

	check_addresses(set);
	check_origins(set);
	read_history(set, &hub);
	if ((set->cert == NULL) != (set->tls_key == NULL))
		die(STATUS_USAGE,
		    "--cert and --tls-key go together: the certificate and its private key");
	check_file("cert", set->cert);
	check_file("tls-key", set->tls_key);
	return hub;
}

/* A descriptor for each connection: as many as are wanted, or as the system gives. */
static void
raise_files(struct hub_settings *hub)
{
	struct rlimit limit;
	rlim_t want = OTHER_FILES + (rlim_t)(hub->max_connections > 0 ? hub->max_connections
								      : UNLIMITED);

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < want) {
		limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > want
		    ? want : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
			return;
	}
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= want)
		return;
	want = limit.rlim_cur > 2 * OTHER_FILES ? limit.rlim_cur - OTHER_FILES : limit.rlim_cur / 2;
	if (hub->max_connections > 0)
		note("the system gives %llu files, which is enough for %llu connections: raise it "
		     "with 'ulimit -n'",
		    (unsigned long long)limit.rlim_cur, (unsigned long long)want);
	hub->max_connections = (long)want;
}

/* ---- signals ---- */

static void
rekey(struct serve *s)
{
	struct keyring *fresh;
	struct err e;

	if (s->settings->key_file == NULL)
		return;
	if (keyring_open(&fresh, s->settings->key_file, &e) != 0) {
		warn("%s: the keys stay as they were", e.text);
		return;
	}
	hub_rekey(s->hub, fresh);
	keyring_free(s->keyring);
	s->keyring = fresh;
	note("read '%s' again", s->settings->key_file);
}

static void
on_signal(void *state)
{
	struct serve *s = state;
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			rekey(s);
			continue;
		}
		s->at_once = s->ended_by != 0;
		s->ended_by = (int)info.ssi_signo;
	}
}

/* They come as reads from now on, in the loop, and not between two instructions. */
static void
catch_signals(struct serve *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		die(STATUS_FAILED, "cannot wait for signals:");
	sockets_watch(s->sockets, s->signals, on_signal, s);
}

/* As if it had never been caught. */
static void
end_by(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the loop ---- */

static void
drain(struct serve *s)
{
	int64_t now = time_ms(), say = now + SILENT_MS, wait;

	hub_drain(s->hub, now, DRAIN_MS);
	while (!s->at_once && !hub_drained(s->hub, now)) {
		if (now >= say) {
			note("waiting for connections that do not end, %d s at most: a second "
			     "signal cuts them", (DRAIN_MS - SILENT_MS) / 1000);
			say = INT64_MAX;
		}
		wait = hub_turn(s->hub, now);
		sockets_wait(s->sockets, wait < 0 || say - now < wait ? say - now : wait);
		now = time_ms();
	}
}

void
serve_run(struct run *run, void *settings)
{
	struct serve s = {.settings = settings, .signals = -1};
	struct hub_settings hub = hub_settings(s.settings);
	struct err e;

	if (run->noperands) {
		warn("serve takes no operand: '%s'", run->operands[0]);
		opt_usage(run->tool, run->command);
	}
	if (s.settings->key_file && keyring_open(&s.keyring, s.settings->key_file, &e) != 0)
		die(keyfile_status(&e), "%s", e.text);
	hub.keyring = s.keyring;
	raise_files(&hub);
	if ((s.sockets = sockets_open(&e)) == NULL ||
	    (s.hub = hub_open(s.sockets, &hub, &e)) == NULL)
		die(STATUS_FAILED, "%s", e.text);
	catch_signals(&s);
	listen_all(&s);
	/* A signal that came before ours were set is found by the other way. */
	while (s.ended_by == 0 && !run_interrupted())
		sockets_wait(s.sockets, hub_turn(s.hub, time_ms()));
	drain(&s);
	sockets_close(s.sockets);
	hub_close(s.hub);
	keyring_free(s.keyring);
	close(s.signals);
	if (s.ended_by == SIGINT)
		end_by(SIGINT);
}
