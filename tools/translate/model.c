#include "tools/translate/engine_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/record.h"
#include "common/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Asks kandil-ai: one child for the whole run, started when there is something to ask. */

enum {
	REPLY_MAX = 32 << 20,	/* bytes of its output that are waited for without a line's end */
	TURN_MS = 1000,		/* how often a signal is looked for at least */
	GRACE_MS = 10000,	/* to write its summary and end */
};

struct model {
	struct engine *engine;
	struct request *request;
	char *program;
	struct spawn child;
	bool started, gone;
	struct buf to, from; /* bytes for it, of it */
	size_t sent, read;   /* of these dealt with */
	struct batch *flying;
	int status; /* how it ended */
};

/* ---- is there a model ---- */

/* Whether one of the comma-separated names is set in the environment. */
static bool
any_set(struct slice names)
{
	while (names.len) {
		const char *comma = memchr(names.ptr, ',', names.len);
		size_t n = comma ? (size_t)(comma - names.ptr) : names.len;
		char *name = xstrndup(names.ptr, n);
		const char *value = getenv(name);

		free(name);
		if (value && *value)
			return true;
		n += comma != NULL;
		names.ptr += n;
		names.len -= n;
	}
	return false;
}

static struct slice
field(struct slice line, int wanted)
{
	for (;;) {
		const char *tab = memchr(line.ptr, '\t', line.len);
		size_t n = tab ? (size_t)(tab - line.ptr) : line.len;

		if (wanted-- == 0)
			return (struct slice){line.ptr, n};
		if (!tab)
			return (struct slice){"", 0};
		line.ptr += n + 1;
		line.len -= n + 1;
	}
}

/* The key variables of kandil-ai's table of providers: its fourth field. */
static bool
key_in_environment(void)
{
	char *shipped = path_shipped("ai/providers.tsv"), *own = path_config("ai/providers.tsv");
	const char *const files[] = {shipped, own};
	bool found = false;

	for (size_t i = 0; i < 2 && !found; i++) {
		struct buf text = {0};
		struct slice rest, line;
		struct err e;

		if (files[i] && access(files[i], R_OK) == 0 &&
		    path_read(files[i], 1 << 20, &text, &e) == 0) {
			rest = buf_slice(&text);
			while (!found && slice_line(&rest, &line))
				found = line.len && *line.ptr != '#' && any_set(field(line, 3));
		}
		buf_free(&text);
	}
	free(shipped);
	free(own);
	return found;
}

/* Whether the user's configuration says which model, or where its key is. */
static bool
configured(void)
{
	static const char *const words[] = {"model", "key-command", "key_command", "key-file",
	    "key_file", "base-url", "base_url"};
	char *name = path_config("config");
	struct buf text = {0};
	struct slice rest, line;
	bool found = false, mine = false;
	struct err e;

	if (name && access(name, R_OK) == 0 && path_read(name, 1 << 20, &text, &e) == 0) {
		rest = buf_slice(&text);
		while (!found && slice_line(&rest, &line)) {
			line = slice_trim(line);
			const char *equals = line.len ? memchr(line.ptr, '=', line.len) : NULL;

			if (line.len && *line.ptr == '[')
				mine = slice_is(line, "[ai]");
			if (!mine || !equals)
				continue;
			struct slice word =
			    slice_trim((struct slice){line.ptr, (size_t)(equals - line.ptr)});
			for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
				found |= slice_is(word, words[i]);
		}
	}
	buf_free(&text);
	free(name);
	return found;
}

bool
engine_model_ready(const char *model)
{
	static const char own[] = "KANDIL_AI_MODEL,KANDIL_AI_KEY_FILE,KANDIL_AI_KEY_COMMAND,"
				  "KANDIL_AI_BASE_URL";

	return (model && *model) || any_set(slice(own)) || key_in_environment() || configured();
}

/* ---- the child ---- */

/* $KANDIL_AI, else what lies beside us, else what is on PATH. */
static char *
find_program(void)
{
	const char *named = getenv("KANDIL_AI");

	if (named && *named)
		return xstrdup(named);
	char *bin = path_bin();
	char *beside = bin ? path_join(bin, "kandil-ai") : NULL;
	free(bin);
	if (beside && access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return xstrdup("kandil-ai");
}

static int
start(struct model *m, struct err *e)
{
	const struct engine_settings *s = &m->engine->settings;
	const char *argv[8];
	char *model = NULL, *cost = NULL;
	struct buf text = {0};
	size_t n = 0;

	argv[n++] = m->program;
	/* Where its answer goes must not depend on anybody's configuration. */
	argv[n++] = "--into=ai";
	argv[n++] = "--unordered";
	if (s->model) {
		buf_addf(&text, "--model=%s", s->model);
		argv[n++] = model = buf_detach(&text);
	}
	if (s->max_cost) {
		buf_addf(&text, "--max-cost=%s", s->max_cost);
		argv[n++] = cost = buf_detach(&text);
	}
	if (die_verbose())
		argv[n++] = die_verbose() < 0 ? "-q" : "-v";
	argv[n] = NULL;
	int status = spawn_start(&m->child, &(struct spawn_options){.argv = argv}, e);
	free(model);
	free(cost);
	m->started = status == 0;
	return status;
}

static void
send_batch(void *state, struct batch *b)
{
	struct model *m = state;

	request_build(m->request, m->engine, b, &m->to);
	b->next = m->flying;
	m->flying = b;
}

/* ---- its records ---- */

/* Codes after which nothing more can be asked: of money, keys and configuration. */
static bool
stops(struct slice code)
{
	static const char *const codes[] = {"not_asked", "budget", "quota", "authentication",
	    "permission", "no_model", "no_key", "no_provider", "not_trusted", "cannot_start"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (slice_is(code, codes[i]))
			return true;
	return false;
}

static void
take_error(struct batch *b, struct slice error)
{
	struct buf code = {0}, message = {0};
	struct slice retryable;

	json_get_text(error, "code", &code);
	json_get_text(error, "message", &message);
	b->failed = true;
	b->stop = stops(buf_slice(&code));
	/* One text that is refused, or too long an answer: the others need not suffer. */
	b->split = !b->stop && !(json_get(error, "retryable", &retryable) &&
	    json_type(retryable) == JSON_TRUE);
	struct buf text = {0};
	buf_add_visible(&text, message.len ? buf_slice(&message) : buf_slice(&code));
	snprintf(b->text, sizeof(b->text), "%.*s",
	    (int)utf8_valid(text.ptr ? text.ptr : "", text.len < 380 ? text.len : 380),
	    text.len ? text.ptr : "");
	if (!*b->text)
		snprintf(b->text, sizeof(b->text), "kandil-ai gives no reason");
	buf_free(&text);
	buf_free(&code);
	buf_free(&message);
}

static void
take_source(struct model *m, struct batch *b, struct slice ai)
{
	struct buf source = {0}, word = {0};

	if (json_get_text(ai, "provider", &word))
		buf_addslice(&source, buf_slice(&word));
	if (json_get_text(ai, "model", &word)) {
		if (source.len)
			buf_addc(&source, '/');
		buf_addslice(&source, buf_slice(&word));
	}
	b->source = engine_keep(m->engine, source.len ? buf_slice(&source) : S("model"));
	buf_free(&source);
	buf_free(&word);
}

static bool
take_reply(struct model *m, struct batch *b, struct slice ai)
{
	struct slice reply;
	struct buf text = {0};
	bool ok;

	take_source(m, b, ai);
	/* Without a schema on the provider's side it may be text that is JSON. */
	if (json_get(ai, "json", &reply))
		ok = request_read(m->engine, b, reply);
	else
		ok = json_get_text(ai, "text", &text) && json_check(buf_slice(&text), NULL) == 0 &&
		     request_read(m->engine, b, buf_slice(&text));
	buf_free(&text);
	return ok;
}

/* A batch by its id, taken off those in flight; NULL: none of ours. */
static struct batch *
find_batch(struct model *m, struct slice record)
{
	struct buf id = {0};
	struct batch *found = NULL;

	if (json_get_text(record, "id", &id) && id.len)
		for (struct batch **at = &m->flying; *at; at = &(*at)->next)
			if (strtoul(id.ptr, NULL, 10) == (*at)->id) {
				found = *at;
				*at = found->next;
				break;
			}
	buf_free(&id);
	return found;
}

static struct batch *
take_line(struct model *m, struct slice line)
{
	struct slice member;
	struct batch *b;

	if (json_check(line, NULL) < 0 || json_type(line) != JSON_OBJECT ||
	    !(b = find_batch(m, line)))
		return NULL;
	if (json_get(line, "error", &member) && json_type(member) == JSON_OBJECT) {
		take_error(b, member);
	} else if (!json_get(line, "ai", &member) || !take_reply(m, b, member)) {
		b->failed = b->split = true;
		snprintf(b->text, sizeof(b->text), "the reply is not of the form asked for");
	}
	return b;
}

/* The next whole line of what it said; false: none yet. */
static bool
next_line(struct model *m, struct slice *line)
{
	const char *from = m->from.ptr + m->read;
	const char *end = m->from.len > m->read ? memchr(from, '\n', m->from.len - m->read) : NULL;

	if (end) {
		*line = (struct slice){from, (size_t)(end - from)};
		m->read = (size_t)(end + 1 - m->from.ptr);
		return true;
	}
	if (m->read) {
		buf_splice(&m->from, 0, m->read, (struct slice){"", 0});
		m->read = 0;
	}
	return false;
}

static void
lose(struct model *m, struct err *e)
{
	m->gone = true;
	m->status = spawn_end(&m->child, GRACE_MS);
	if (run_interrupted())
		err_set(e, "engine_failed", "interrupted");
	else if (WIFEXITED(m->status) && WEXITSTATUS(m->status) == STATUS_USAGE)
		err_set(e, "bad_value", "kandil-ai refuses its options or its configuration, and "
		    "says why above");
	else if (WIFSIGNALED(m->status))
		err_set(e, "engine_failed", "kandil-ai was killed by signal %d", WTERMSIG(m->status));
	else
		err_set(e, "engine_failed", "kandil-ai ended with status %d before it had answered: "
		    "'kandil-ai --models' lists what is configured", WEXITSTATUS(m->status));
}

static struct batch *
next_batch(void *state, struct err *e)
{
	struct model *m = state;
	struct slice line;
	bool closed = false;

	if (!m->started && !m->gone && start(m, e) < 0) {
		m->gone = true;
		if (strcmp(e->code, "no_command") == 0)
			err_set(e, "no_engine", "kandil-ai is not there, '%s': install kandil as a "
			    "whole, or use --engine=rules", m->program);
	} else if (m->gone) {
		err_set(e, "engine_failed", "kandil-ai has ended");
	}
	while (!m->gone) {
		while (next_line(m, &line)) {
			struct batch *b = take_line(m, line);
			if (b)
				return b;
		}
		if (closed || run_interrupted()) {
			lose(m, e);
			break;
		}
		struct slice input = {m->to.ptr ? m->to.ptr + m->sent : "", m->to.len - m->sent};
		enum spawn_turn turn = spawn_pump(&m->child, &input, false, &m->from, NULL,
		    REPLY_MAX, TURN_MS);
		m->sent = m->to.len - input.len;
		if (!input.len) {
			buf_reset(&m->to);
			m->sent = 0;
		}
		/* Full without a line's end: no record of ours. */
		closed = turn == SPAWN_CLOSED ||
		    (turn == SPAWN_FULL && !memchr(m->from.ptr, '\n', m->from.len));
	}
	m->flying = NULL;
	return NULL;
}

static void
close_model(void *state)
{
	struct model *m = state;

	if (m->started && !m->gone) {
		spawn_close_in(&m->child);
		spawn_end(&m->child, GRACE_MS);
	}
	request_close(m->request);
	buf_free(&m->to);
	buf_free(&m->from);
	free(m->program);
	free(m);
}

int
model_open(struct engine *e, struct err *err)
{
	struct request *request = request_open(err);

	if (!request)
		return -1;
	struct model *m = xcalloc(1, sizeof(*m));
	m->engine = e;
	m->request = request;
	m->program = find_program();
	e->service = (struct service){.name = "the model", .form = MASK_TOKENS, .pieces = 40,
	    .least = 20, .bytes = 16000, .in_flight = 64, .repairs = 2, .send = send_batch,
	    .next = next_batch, .close = close_model, .state = m};
	return 0;
}
