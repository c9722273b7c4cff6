/*
 * Pulling records: from lines to records, from operand to operand, without
 * ever blocking; record_loop is the loop around it that does block.
 */
#include "common/record_io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- one line ---- */

/* One walk over the top level finds what every record is asked for. */
static void
look(struct record *r, struct slice *error)
{
	struct json_walk w = json_walk(r->text);
	struct slice key, value;

	while (json_member(&w, &key, &value)) {
		if (json_is(key, "kind"))
			r->kind = value;
		else if (json_is(key, "error"))
			*error = value;
	}
}

static enum pull
pass_failed(struct record *r)
{
	run_status(r->run, STATUS_PARTIAL);
	record_pass(r);
	return PULL_DONE;
}

/*
 * A failed record with --retry, without its error; what wrapped a line is no
 * record any more. An error about a file is for the program that made it to
 * take back.
 */
static enum pull
retry(struct record *r, struct slice error)
{
	struct record_io *io = r->run->io;
	bool about = record_kind(r, "error");

	if (about && !error_is_ours(error, r->run->tool->name))
		return pass_failed(r);
	buf_reset(&io->kind);
	if (!about)
		buf_addslice(&io->kind, r->kind);
	buf_reset(&io->edit);
	buf_addslice(&io->edit, r->text);
	json_drop(&io->edit, "error");
	if (about)
		json_drop(&io->edit, "kind");
	r->text = buf_slice(&io->edit);
	r->kind = buf_slice(&io->kind);
	r->retried = true;
	return PULL_RECORD;
}

/* unwrapping: the line is what an error record wraps; once is enough. */
static enum pull
do_line(struct run *run, struct slice line, bool unwrapping, struct record *r)
{
	struct record_io *io = run->io;
	struct slice text = slice_trim(line), error = {NULL, 0};
	struct err e;

	*r = (struct record){.text = text, .source = io->lines.name, .line = io->lines.number,
	    .run = run, .original = line};
	if (text.len == 0)
		return PULL_DONE;
	if (json_check(text, &e) != 0) {
		error_line(run, line, e.code, e.text);
		return PULL_DONE;
	}
	if (json_type(text) != JSON_OBJECT) {
		error_line(run, line, "not_object", "a record must be a JSON object");
		return PULL_DONE;
	}
	look(r, &error);
	if (!error_is_ours(error, "kandil"))
		return PULL_RECORD;
	if (!run->common->retry)
		return pass_failed(r);
	buf_reset(&io->unwrapped);
	if (!unwrapping && record_kind(r, "error") && error_original(text, &io->unwrapped)) {
		enum pull pull = do_line(run, buf_slice(&io->unwrapped), true, r);

		r->retried = true;
		return pull;
	}
	return retry(r, error);
}

/* ---- sources ---- */

static void
start_source(struct run *run, int fd, const char *name, bool ours)
{
	lines_open(&run->io->lines, fd, name, run->common->max_record);
	run->io->reading = true;
	run->io->ours = ours;
}

static void
end_source(struct run *run)
{
	if (run->io->ours)
		close(run->io->lines.fd);
	run->io->reading = false;
	run->io->ours = false;
}

/* The next operand that can be opened; false when there is none. */
static bool
next_source(struct run *run)
{
	struct record_io *io = run->io;

	if (run->noperands == 0) {
		if (io->asked)
			return false;
		io->asked = true;
		if (isatty(STDIN_FILENO))
			opt_usage(run->tool, run->command);
		start_source(run, STDIN_FILENO, "<stdin>", false);
		return true;
	}
	while (io->operand < run->noperands && !run_interrupted()) {
		const char *name = run->operands[io->operand++];
		int fd;

		if (strcmp(name, "-") == 0) {
			start_source(run, STDIN_FILENO, "<stdin>", false);
			return true;
		}
		/* A pipe without a writer must not hold us here: it is polled. */
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0) {
			start_source(run, fd, name, true);
			return true;
		}
		if (!run->io->told)
			warn("cannot open '%s':", name);
		run_status(run, STATUS_FAILED);
	}
	return false;
}

/* The next line of the source that is open; PULL_END: it is over. */
static enum pull
pull_line(struct run *run, struct record *out)
{
	struct lines *l = &run->io->lines;
	struct slice line;
	char text[64];

	switch (lines_next(l, &line)) {
	case LINE_WHOLE:
		return do_line(run, line, false, out);
	case LINE_TOO_LONG:
		/* Its first bytes may end within a character. */
		line.len = utf8_valid(line.ptr, line.len);
		snprintf(text, sizeof(text), "longer than %zu bytes", l->max);
		error_line(run, line, "too_long", text);
		return PULL_DONE;
	case LINE_WAIT:
		return PULL_WAIT;
	case LINE_ERROR:
		if (!run->io->told)
			warn("%s: cannot read:", l->name);
		run_status(run, STATUS_FAILED);
		break;
	case LINE_END:
		break;
	}
	end_source(run);
	return PULL_END;
}

static bool
over(const struct run *run)
{
	return run_interrupted() || run->io->stopped;
}

enum pull
record_pull(struct run *run, struct capture *sink, struct record *out)
{
	struct capture *before = run->io->capture;
	enum pull pull = PULL_END;

	if (sink) {
		capture_reset(sink);
		run->io->capture = sink;
	}
	while (pull == PULL_END && !over(run) && (run->io->reading || next_source(run)))
		pull = pull_line(run, out);
	run->io->capture = before;
	return pull;
}

int
record_pull_fd(const struct run *run)
{
	return run->io->reading ? run->io->lines.fd : -1;
}

void
record_loop(struct run *run, record_fn *fn, void *state)
{
	struct record r;

	for (;;)
		switch (record_pull(run, NULL, &r)) {
		case PULL_RECORD:
			fn(&r, state);
			break;
		case PULL_DONE:
			break;
		case PULL_WAIT:
			out_wait(record_pull_fd(run));
			break;
		case PULL_END:
			return;
		}
}

void
record_read(struct run *run, int fd, const char *name, record_fn *fn, void *state)
{
	struct record r;

	start_source(run, fd, name, false);
	while (run->io->reading && !over(run))
		switch (pull_line(run, &r)) {
		case PULL_RECORD:
			fn(&r, state);
			break;
		case PULL_WAIT:
			out_wait(fd);
			break;
		case PULL_DONE:
		case PULL_END:
			break;
		}
}

/* ---- captures and records in hand ---- */

void
record_capture(struct run *run, struct capture *sink)
{
	run->io->capture = sink;
}

void
capture_reset(struct capture *c)
{
	buf_reset(&c->lines);
	buf_reset(&c->rejects);
	buf_reset(&c->why);
	c->spill = c->spilt = 0;
	c->failed = false;
}

void
capture_free(struct capture *c)
{
	buf_free(&c->lines);
	buf_free(&c->rejects);
	buf_free(&c->why);
}

/* Where part lies in the bytes held, which are a copy of whole; appended when it is not in it. */
static size_t
place(struct buf *bytes, struct slice whole, struct slice part)
{
	size_t at = bytes->len;

	if (part.len && part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len)
		return (size_t)(part.ptr - whole.ptr);
	buf_addslice(bytes, part);
	return at;
}

void
record_hold(const struct record *r, struct held *h)
{
	buf_reset(&h->bytes);
	buf_addslice(&h->bytes, r->original);
	h->original_len = r->original.len;
	h->text = place(&h->bytes, r->original, r->text);
	h->text_len = r->text.len;
	h->kind = place(&h->bytes, r->original, r->kind);
	h->kind_len = r->kind.len;
	h->source = r->source;
	h->line = r->line;
	h->retried = r->retried;
}

struct record
record_resume(struct run *run, const struct held *h)
{
	const char *at = h->bytes.ptr;

	return (struct record){.text = {at + h->text, h->text_len},
	    .kind = {at + h->kind, h->kind_len}, .source = h->source, .line = h->line,
	    .run = run, .original = {at, h->original_len}, .retried = h->retried};
}

void
held_free(struct held *h)
{
	buf_free(&h->bytes);
}
