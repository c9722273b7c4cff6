/*
 * hub_peer: a hub, peers over real sockets, what they got, and whether that is what is awaited.
 */
#ifndef KANDIL_TEST_HUB_PEER_H
#define KANDIL_TEST_HUB_PEER_H

#include "common/mem.h"
#include "common/time.h"
#include "tests/unit/check.h"
#include "tools/collab/hub_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PEERS = 26, NAMES = 16, WAIT_MS = 30000 };

struct got {
	struct buf bytes;
	bool binary;
	struct got *next;
};

struct peer {
	struct socket *socket;
	bool open, ended;
	bool object; /* speaks v1 */
	struct socket_end end;
	struct got *first, **last;
};

struct name {
	char name[24], value[40];
};

struct script {
	const char *file;
	size_t line;
	struct sockets *sockets;
	struct hub *hub;
	struct hub_settings settings;
	struct keyring *keyring;
	struct buf keys; /* the key file */
	struct peer peers[PEERS];
	struct name names[NAMES];
	size_t nnames;
	size_t quiets;
};

/* ---- clients ---- */

static inline void
opened(struct socket *s, void *state)
{
	(void)s;
	((struct peer *)state)->open = true;
}

static inline void
message(struct socket *s, struct slice bytes, bool binary, void *state)
{
	struct peer *p = state;
	struct got *g = xcalloc(1, sizeof(*g));

	(void)s;
	buf_addslice(&g->bytes, bytes);
	g->binary = binary;
	*p->last = g;
	p->last = &g->next;
}

static inline void
closed(struct socket *s, const struct socket_end *end, void *state)
{
	struct peer *p = state;

	(void)s;
	p->open = false;
	p->ended = true;
	p->end = *end;
	p->socket = NULL;
}

static const struct socket_events events = {.opened = opened, .message = message, .closed = closed};

static inline void
fail(struct script *s, const char *what, struct slice got, const char *want)
{
	check_failed++;
	fprintf(stderr, "%s:%zu: %s\n got: %.*s\nwant: %s\n", s->file, s->line, what, (int)got.len,
	    got.ptr, want);
}

static inline void
turn(struct script *s)
{
	int64_t wait = hub_turn(s->hub, time_ms());

	sockets_wait(s->sockets, wait < 0 || wait > 50 ? 50 : wait);
	hub_turn(s->hub, time_ms());
}

/* The next message of p, which stays; NULL when none comes. */
static inline struct got *
peek(struct script *s, struct peer *p)
{
	int64_t until = time_ms() + WAIT_MS;

	while (p->first == NULL && !p->ended && time_ms() < until)
		turn(s);
	return p->first;
}

/* Likewise, taken: the caller's to free. */
static inline struct got *
next(struct script *s, struct peer *p)
{
	struct got *g = peek(s, p);

	if (g) {
		p->first = g->next;
		if (p->first == NULL)
			p->last = &p->first;
	}
	return g;
}

static inline void
got_free(struct got *g)
{
	if (g)
		buf_free(&g->bytes);
	free(g);
}

/* ---- the hub ---- */

static inline void
start(struct script *s)
{
	const char *tmp = getenv("TMPDIR");
	char file[300];
	struct err e = {0};
	int fd;

	if (s->hub)
		return;
	if (s->keys.len) {
		snprintf(file, sizeof(file), "%s/kandil-hub-XXXXXX", tmp ? tmp : "/tmp");
		fd = mkstemp(file);
		CHECK(fd >= 0 && write(fd, s->keys.ptr, s->keys.len) == (ssize_t)s->keys.len);
		close(fd);
		if (keyring_open(&s->keyring, file, &e) != 0)
			fail(s, "the keys", slice(e.text), "a key file");
		unlink(file);
		s->settings.keyring = s->keyring;
	}
	s->hub = hub_open(s->sockets, &s->settings, &e);
	if (s->hub == NULL || hub_listen(s->hub, "127.0.0.1", 0, NULL, NULL, &e) != 0) {
		fprintf(stderr, "%s: %s\n", s->file, e.text);
		exit(1);
	}
}

static inline void
connect_peer(struct script *s, struct peer *p, const char *path, int refused)
{
	struct buf url = {0};
	struct socket_request request = {.events = &events, .state = p};
	int64_t until = time_ms() + WAIT_MS;
	struct err e = {0};

	start(s);
	*p = (struct peer){.last = &p->first, .object = strstr(path, "vsn=2") == NULL};
	buf_addf(&url, "ws://127.0.0.1:%d%s", sockets_port(s->sockets), path);
	request.url = url.ptr;
	p->socket = socket_connect(s->sockets, &request, &e);
	while (p->socket && !p->open && !p->ended && time_ms() < until)
		turn(s);
	if (refused ? p->ended && p->end.fault == SOCKET_REFUSED && p->end.status == refused
		    : p->open)
		check_passed++;
	else
		fail(s, "the connection", slice(p->ended ? p->end.text : e.text),
		    refused ? "refused" : "open");
	buf_free(&url);
}

static inline void
wait_topics(struct script *s, size_t n)
{
	int64_t until = time_ms() + WAIT_MS;

	while (s->hub->ntopics != n && time_ms() < until)
		turn(s);
	CHECK(s->hub->ntopics == n);
}

/* ---- what is awaited ---- */

/* The name of a mask at want ("<a>", "<a:uuid>"): its length with both brackets, or 0. */
static inline size_t
mask_at(const char *want, char name[24], size_t *len)
{
	const char *end = *want == '<' ? strchr(want, '>') : NULL;
	const char *colon;

	if (end == NULL || end - want > 20)
		return 0;
	memcpy(name, want + 1, (size_t)(end - want - 1));
	name[end - want - 1] = 0;
	colon = strchr(name, ':');
	*len = colon ? 36 : 16;
	return (size_t)(end - want) + 1;
}

/* Binds the name to the text, or compares it with what it is bound to. */
static inline bool
mask_fits(struct script *s, const char *name, const char *text, size_t len)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	if (strspn(text, set) < len)
		return false;
	for (size_t i = 0; i < s->nnames; i++) {
		bool same = strncmp(s->names[i].value, text, len) == 0;

		if (strcmp(s->names[i].name, name) == 0)
			return same;
		if (same)
			return false;
	}
	if (s->nnames == NAMES)
		return false;
	snprintf(s->names[s->nnames].name, sizeof(s->names->name), "%s", name);
	snprintf(s->names[s->nnames].value, sizeof(s->names->value), "%.*s", (int)len, text);
	s->nnames++;
	return true;
}

/* Whether text is what is wanted; or, with begin, begins with it. */
static inline bool
fits(struct script *s, const char *text, const char *want, bool begin)
{
	char name[24];
	size_t len, mask;

	while (*want) {
		mask = mask_at(want, name, &len);
		if (mask) {
			if (strlen(text) < len || !mask_fits(s, name, text, len))
				return false;
			text += len;
			want += mask;
		} else if (*text++ != *want++) {
			return false;
		}
	}
	return begin || *text == 0;
}

static inline void
expect(struct script *s, struct peer *p, const char *want, bool binary)
{
	struct got *g = next(s, p);
	struct buf text = {0};

	if (g == NULL) {
		fail(s, "nothing came", slice(p->ended ? p->end.text : ""), want);
		return;
	}
	if (g->binary)
		for (size_t i = 0; i < g->bytes.len; i++)
			buf_addf(&text, "%02x", (unsigned char)g->bytes.ptr[i]);
	else
		buf_addslice(&text, buf_slice(&g->bytes));
	if (g->binary == binary && fits(s, text.len ? text.ptr : "", want, false))
		check_passed++;
	else
		fail(s, "another message", buf_slice(&text), want);
	buf_free(&text);
	got_free(g);
}

static inline void
has(struct script *s, struct peer *p, const char *want)
{
	struct got *g = peek(s, p);

	for (const char *at = g && g->bytes.len ? g->bytes.ptr : ""; *at; at++)
		if (fits(s, at, want, true)) {
			check_passed++;
			return;
		}
	fail(s, "not there", g ? buf_slice(&g->bytes) : S(""), want);
}

static inline void
say(struct script *s, struct peer *p, const char *text, bool hex)
{
	struct buf bytes = {0};
	unsigned byte;

	if (p->socket == NULL) {
		fail(s, "it is not connected", slice(p->end.text), text);
		return;
	}
	for (; hex && sscanf(text, "%2x", &byte) == 1; text += 2)
		buf_addc(&bytes, (char)byte);
	if (!hex) {
		buf_adds(&bytes, text);
		p->object = text[0] == '{' || (p->object && text[0] != '[');
	}
	socket_say(p->socket, buf_slice(&bytes), hex);
	buf_free(&bytes);
}

/* A heartbeat is answered, and nothing stands before its answer. */
static inline void
quiet(struct script *s, struct peer *p)
{
	struct buf ask = {0}, want = {0};

	s->quiets++;
	buf_addf(&ask,
	    p->object ? "{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"payload\":{},"
			"\"ref\":\"quiet%zu\"}"
		      : "[null,\"quiet%zu\",\"phoenix\",\"heartbeat\",{}]",
	    s->quiets);
	buf_addf(&want,
	    p->object ? "{\"event\":\"phx_reply\",\"payload\":{\"response\":{},\"status\":"
			"\"ok\"},\"ref\":\"quiet%zu\",\"topic\":\"phoenix\"}"
		      : "[null,\"quiet%zu\",\"phoenix\",\"phx_reply\",{\"response\":{},"
			"\"status\":\"ok\"}]",
	    s->quiets);
	say(s, p, ask.ptr, false);
	expect(s, p, want.ptr, false);
	buf_free(&ask);
	buf_free(&want);
}

/* ---- the end ---- */

/* Nobody has more to say; and all that was taken is given back. */
static inline void
finish(struct script *s)
{
	for (int i = 0; i < 2 * PEERS; i++)
		if (s->peers[i % PEERS].open)
			quiet(s, &s->peers[i % PEERS]);
	for (int i = 0; i < PEERS; i++)
		if (s->peers[i].socket)
			socket_cut(s->peers[i].socket);
	for (int64_t until = time_ms() + WAIT_MS; s->hub->nconns && time_ms() < until;)
		turn(s);
	wait_topics(s, 0);
	CHECK(s->hub->nconns == 0 && s->hub->presence_bytes == 0);
	for (int i = 0; i < PEERS; i++)
		while (s->peers[i].first) {
			struct got *g = s->peers[i].first;

			s->peers[i].first = g->next;
			got_free(g);
		}
	sockets_close(s->sockets);
	hub_close(s->hub);
	keyring_free(s->keyring);
	buf_free(&s->keys);
}

#endif
