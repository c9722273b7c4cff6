/*
 * hub: scripted dialogues over real sockets, tests/unit/hub/NAME.dialog:
 *
 *	# a comment
 *	set max_payload 100		a setting, before the first connection
 *	key NAME VALUE role=…		a line of the key file (keyring.h)
 *	open A /PATH?QUERY		connects A; must be let in
 *	refuse A STATUS /PATH?QUERY	must not; "A << BODY" may follow
 *	A >> TEXT			A sends a text frame
 *	A >x HEX			a binary frame
 *	A << TEXT			the next that A gets, to the byte
 *	A <x HEX
 *	A has TEXT			it has TEXT in it (and is not taken)
 *	A skip				it is taken
 *	A quiet				A gets nothing
 *	A cut				A's TCP connection breaks
 *	A closed CODE			the hub has closed A
 *	drain				the hub is asked to end
 *	topics N			so many are alive
 *
 * In what is awaited <NAME> stands for a phx_ref: 16 characters of base64url, the same
 * where the name is the same and no other's; <NAME:uuid> for a UUID.
 * At the end nobody gets anything more.
 */
#include "tests/unit/check.h"
#include "tools/collab/hub_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <fcntl.h>
#include <glob.h>
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

static void
opened(struct socket *s, void *state)
{
	(void)s;
	((struct peer *)state)->open = true;
}

static void
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

static void
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

static void
fail(struct script *s, const char *what, struct slice got, const char *want)
{
	check_failed++;
	fprintf(stderr, "%s:%zu: %s\n got: %.*s\nwant: %s\n", s->file, s->line, what, (int)got.len,
	    got.ptr, want);
}

static void
turn(struct script *s)
{
	int64_t wait = hub_turn(s->hub, time_ms());

	sockets_wait(s->sockets, wait < 0 || wait > 50 ? 50 : wait);
	hub_turn(s->hub, time_ms());
}

/* The next message of p, which stays; NULL when none comes. */
static struct got *
peek(struct script *s, struct peer *p)
{
	int64_t until = time_ms() + WAIT_MS;

	while (p->first == NULL && !p->ended && time_ms() < until)
		turn(s);
	return p->first;
}

/* Likewise, taken: the caller's to free. */
static struct got *
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

static void
got_free(struct got *g)
{
	if (g)
		buf_free(&g->bytes);
	free(g);
}

/* ---- what is awaited ---- */

/* The name of a mask at want ("<a>", "<a:uuid>"): its length with both brackets, or 0. */
static size_t
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
static bool
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
static bool
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

static void
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

static void
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

static void
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
static void
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

/* ---- steps ---- */

static void
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

static void
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

static void
set(struct script *s, const char *name, const char *value)
{
	struct hub_settings *h = &s->settings;
	long n = strtol(value, NULL, 10);
	double rate = strtod(value, NULL);

	if (strcmp(name, "max_payload") == 0)
		h->max_payload = (size_t)n;
	else if (strcmp(name, "max_memory") == 0)
		h->max_memory = (size_t)n;
	else if (strcmp(name, "max_queue") == 0)
		h->max_queue = (size_t)n;
	else if (strcmp(name, "max_channels") == 0)
		h->max_channels = n;
	else if (strcmp(name, "max_topics") == 0)
		h->max_topics = n;
	else if (strcmp(name, "max_joins") == 0)
		h->max_joins = rate;
	else if (strcmp(name, "max_rate") == 0)
		h->max_rate = rate;
	else if (strcmp(name, "max_presence_rate") == 0)
		h->max_presence_rate = rate;
	else if (strcmp(name, "history") == 0)
		h->history_messages = (size_t)n;
	else
		fail(s, "unknown setting", slice(name), "one of hub.h");
}

static void
wait_end(struct script *s, struct peer *p, int code)
{
	int64_t until = time_ms() + WAIT_MS;

	while (!p->ended && time_ms() < until)
		turn(s);
	if (p->ended && p->end.code == code)
		check_passed++;
	else
		fail(s, "the end", slice(p->end.text), "closed by the hub");
}

/* A step of one peer. */
static void
step_peer(struct script *s, struct peer *p, const char *verb, const char *rest)
{
	if (strcmp(verb, ">>") == 0) {
		say(s, p, rest, false);
	} else if (strcmp(verb, ">x") == 0) {
		say(s, p, rest, true);
	} else if (strcmp(verb, "<<") == 0) {
		expect(s, p, rest, false);
	} else if (strcmp(verb, "<x") == 0) {
		expect(s, p, rest, true);
	} else if (strcmp(verb, "has") == 0) {
		has(s, p, rest);
	} else if (strcmp(verb, "skip") == 0) {
		struct got *g = next(s, p);

		CHECK(g != NULL);
		got_free(g);
	} else if (strcmp(verb, "quiet") == 0) {
		quiet(s, p);
	} else if (strcmp(verb, "closed") == 0) {
		wait_end(s, p, (int)strtol(rest, NULL, 10));
	} else if (strcmp(verb, "cut") == 0 && p->socket) {
		socket_cut(p->socket);
		while (!p->ended)
			turn(s);
	} else {
		fail(s, "unknown step", slice(verb), "one of the header's");
	}
}

static void
wait_topics(struct script *s, size_t n)
{
	int64_t until = time_ms() + WAIT_MS;

	while (s->hub->ntopics != n && time_ms() < until)
		turn(s);
	CHECK(s->hub->ntopics == n);
}

/* The next word of the line, cut off. */
static char *
word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t"), *end = from + strcspn(from, " \t");

	*rest = end + strspn(end, " \t");
	*end = 0;
	return from;
}

static void
step(struct script *s, char *line)
{
	char *rest = line, *first, *second;

	if (line[0] == 0 || line[0] == '#')
		return;
	first = word(&rest);
	if (strcmp(first, "key") == 0) {
		buf_addf(&s->keys, "key %s\n", rest);
		return;
	}
	second = word(&rest);
	if (strcmp(first, "drain") == 0)
		hub_drain(s->hub, time_ms(), WAIT_MS);
	else if (strcmp(first, "set") == 0)
		set(s, second, rest);
	else if (strcmp(first, "topics") == 0)
		wait_topics(s, strtoul(second, NULL, 10));
	else if (strcmp(first, "open") == 0)
		connect_peer(s, &s->peers[second[0] - 'A'], rest, 0);
	else if (strcmp(first, "refuse") == 0) {
		struct peer *p = &s->peers[second[0] - 'A'];
		char *status = word(&rest);

		connect_peer(s, p, rest, (int)strtol(status, NULL, 10));
	} else if (first[0] >= 'A' && first[0] <= 'Z' && first[1] == 0) {
		step_peer(s, &s->peers[first[0] - 'A'], second, rest);
	} else {
		fail(s, "unknown step", slice(first), "one of the header's");
	}
}

/* Nobody has more to say; and all that was taken is given back. */
static void
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

static void
run(const char *file)
{
	struct script s = {.file = file};
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	s.sockets = sockets_open(NULL);
	CHECK(in != NULL && s.sockets != NULL);
	while ((len = getline(&line, &cap, in)) > 0) {
		s.line++;
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		step(&s, line);
	}
	free(line);
	fclose(in);
	finish(&s);
}

int
main(int argc, char **argv)
{
	glob_t files = {0};

	CHECK(argc > 1 || glob("tests/unit/hub/*.dialog", 0, NULL, &files) == 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		run(files.gl_pathv[i]);
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	globfree(&files);
	return check_done();
}
