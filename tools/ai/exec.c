#include "tools/ai/exec.h"

#include "common/json.h"
#include "common/time.h"
#include "tools/ai/endpoint.h"

#include <stdio.h>
#include <sys/wait.h>

static const char *const headings[] = {
    [ROLE_SYSTEM] = "System", [ROLE_USER] = "User", [ROLE_ASSISTANT] = "Assistant"};

/* A turn's text; of an array of parts, the texts. */
static void
add_content(struct slice content, struct buf *out)
{
	struct json_walk w = json_walk(content);
	struct slice part, text;

	if (json_text(content, out))
		return;
	while (json_element(&w, &part))
		if (json_get(part, "text", &text))
			json_text(text, out);
}

static void
write_ask(const struct ask *ask, struct buf *out)
{
	if (ask->nturns == 1 && ask->turns[0].role == ROLE_USER) {
		add_content(ask->turns[0].content, out);
	} else {
		for (size_t i = 0; i < ask->nturns; i++) {
			buf_addf(out, "%s%s:\n", i ? "\n" : "", headings[ask->turns[i].role]);
			add_content(ask->turns[i].content, out);
			buf_addc(out, '\n');
		}
	}
	if (ask->schema.ptr) {
		buf_adds(out, "\n\nAnswer with JSON alone, as this schema says:\n");
		buf_addslice(out, ask->schema);
	}
	if (out->len == 0 || out->ptr[out->len - 1] != '\n')
		buf_addc(out, '\n');
}

int
exec_start(struct exec_call *c, const struct ask *ask, int64_t timeout_ms, struct err *e)
{
	const char *argv[] = {"/bin/sh", "-c", ask->endpoint->command, NULL};
	struct spawn_options options = {.argv = argv, .flags = SPAWN_ERR | SPAWN_GROUP};

	buf_reset(&c->in);
	buf_reset(&c->out);
	buf_reset(&c->err);
	write_ask(ask, &c->in);
	c->left = buf_slice(&c->in);
	c->deadline = timeout_ms ? time_ms() + timeout_ms : 0;
	return spawn_start(&c->child, &options, e);
}

size_t
exec_fds(const struct exec_call *c, struct pollfd *fds)
{
	size_t n = 0;

	if (c->child.in >= 0 && c->left.len)
		fds[n++] = (struct pollfd){.fd = c->child.in, .events = POLLOUT};
	if (c->child.out >= 0)
		fds[n++] = (struct pollfd){.fd = c->child.out, .events = POLLIN};
	if (c->child.err >= 0)
		fds[n++] = (struct pollfd){.fd = c->child.err, .events = POLLIN};
	return n;
}

static enum exec_state
fail(struct exec_call *c, struct failure *f, const char *code, const char *text)
{
	exec_end(c);
	*f = (struct failure){.action = ACTION_FAIL, .code = code};
	snprintf(f->text, sizeof(f->text), "%s", text);
	return EXEC_FAILED;
}

/* The last line that it said, made fit for a message. */
static void
last_words(struct exec_call *c, char *text, size_t size)
{
	struct slice rest = slice_trim(buf_slice(&c->err)), line = {"", 0};
	struct buf shown = {0};

	while (slice_line(&rest, &line))
		;
	buf_add_visible(&shown, line);
	snprintf(text, size, "%.300s", shown.ptr ? shown.ptr : "");
	buf_free(&shown);
}

static enum exec_state
finish(struct exec_call *c, struct reply *reply, struct failure *f)
{
	int status = spawn_end(&c->child, 2000);
	char words[320], text[380];
	struct slice said;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		last_words(c, words, sizeof(words));
		if (WIFEXITED(status))
			snprintf(text, sizeof(text), "the command ended with status %d%s%s",
			    WEXITSTATUS(status), *words ? ": " : "", words);
		else
			snprintf(text, sizeof(text), "the command was killed by signal %d",
			    WTERMSIG(status));
		return fail(c, f, "command_failed", text);
	}
	said = buf_slice(&c->out);
	if (utf8_valid(said.ptr, said.len) != said.len)
		return fail(c, f, "bad_reply", "the command's output is not UTF-8");
	/* One line feed at the end is the terminal's. */
	if (said.len && said.ptr[said.len - 1] == '\n')
		said.len--;
	reply_reset(reply);
	buf_addslice(&reply->text, said);
	buf_adds(&reply->finish_word, "exit");
	reply->finish = FINISH_STOP;
	return EXEC_DONE;
}

enum exec_state
exec_turn(struct exec_call *c, struct reply *reply, struct failure *f)
{
	enum spawn_turn turn;

	do {
		turn = spawn_pump(&c->child, &c->left, true, &c->out, &c->err, EXEC_REPLY, 0);
		/* Of what it complains only the end is kept. */
		if (c->err.len > EXEC_ERRORS)
			buf_splice(&c->err, 0, c->err.len - EXEC_ERRORS, (struct slice){"", 0});
		if (c->out.len >= EXEC_REPLY)
			return fail(c, f, "too_large", "the command's output has no end");
	} while (turn == SPAWN_MOVED || turn == SPAWN_FULL);
	if (turn == SPAWN_CLOSED)
		return finish(c, reply, f);
	if (c->deadline && time_ms() > c->deadline)
		return fail(c, f, "timeout", "the command took too long");
	return EXEC_RUNNING;
}

void
exec_end(struct exec_call *c)
{
	if (c->child.pid)
		spawn_end(&c->child, 0);
}

void
exec_free(struct exec_call *c)
{
	exec_end(c);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->err);
}
