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
#include "tests/unit/hub_peer.h"
#include "tools/collab/hub_part.h"

#include <glob.h>

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
