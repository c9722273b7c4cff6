#include "common/record.h"

#include "common/mem.h"
#include "common/record_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void
run_start(struct run *run, const struct tool *tool, void *settings, int argc, char **argv)
{
	int first;

	die_name(tool->name);
	out_signals();
	*run = (struct run){.tool = tool, .common = settings};
	first = opt_parse(tool, settings, argc, argv, &run->command);
	run->operands = argv + first;
	run->noperands = argc - first;
	die_verbosity(run->common->quiet ? -1 : run->common->verbose);
	run->io = xcalloc(1, sizeof(*run->io));
	out_open(run);
}

void
run_command(struct run *run, void *settings)
{
	run->command->run(run, settings);
}

void
run_status(struct run *run, enum status status)
{
	if ((int)status > run->status)
		run->status = (int)status;
}

int
run_finish(struct run *run)
{
	struct record_io *io = run->io;

	out_close(run);
	out_raise();
	lines_free(&io->lines);
	buf_free(&io->edit);
	buf_free(&io->kind);
	buf_free(&io->unwrapped);
	free(io);
	return run->status;
}

void
record_partial(struct record *r)
{
	run_status(r->run, STATUS_PARTIAL);
}

void
record_set(struct record *r, const char *const *path, size_t n, struct slice value)
{
	struct buf *edit = &r->run->io->edit;

	if (r->text.ptr != edit->ptr || edit->ptr == NULL) {
		buf_reset(edit);
		buf_addslice(edit, r->text);
	}
	json_set(edit, path, n, value);
	r->text = buf_slice(edit);
}

void
record_pass(struct record *r)
{
	out_line(r->text);
}

void
record_emit(struct run *run, struct slice object)
{
	(void)run;
	out_line(object);
}

bool
record_kind(const struct record *r, const char *kind)
{
	return json_is(r->kind, kind);
}

bool
record_get(const struct record *r, const char *name, struct slice *value)
{
	return json_get(r->text, name, value);
}

bool
record_get_text(const struct record *r, const char *name, struct buf *out)
{
	return json_get_text(r->text, name, out);
}

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

static void do_line(struct run *run, struct slice line, record_fn *fn, void *state);

static void
pass_failed(struct record *r)
{
	run_status(r->run, STATUS_PARTIAL);
	record_pass(r);
}

/*
 * A failed record with --retry. What it wraps is read again as a line; an
 * error about a file is for the program that made it to take back; any other
 * record is worked on without its error.
 */
static void
retry(struct record *r, struct slice error, record_fn *fn, void *state)
{
	struct record_io *io = r->run->io;
	bool about = record_kind(r, "error");

	buf_reset(&io->unwrapped);
	if (about && !io->unwrapping && error_original(r->text, &io->unwrapped)) {
		io->unwrapping = true;
		do_line(r->run, buf_slice(&io->unwrapped), fn, state);
		io->unwrapping = false;
		return;
	}
	if (about && !error_is_ours(error, r->run->tool->name)) {
		pass_failed(r);
		return;
	}
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
	fn(r, state);
}

static void
do_line(struct run *run, struct slice line, record_fn *fn, void *state)
{
	struct slice text = slice_trim(line), error = {NULL, 0};
	struct record r = {.text = text, .source = run->io->lines.name,
	    .line = run->io->lines.number, .run = run, .original = line};
	struct err e;

	if (text.len == 0)
		return;
	if (json_check(text, &e) != 0) {
		error_line(run, line, e.code, e.text);
		return;
	}
	if (json_type(text) != JSON_OBJECT) {
		error_line(run, line, "not_object", "a record must be a JSON object");
		return;
	}
	look(&r, &error);
	if (!error_is_ours(error, "kandil"))
		fn(&r, state);
	else if (run->common->retry)
		retry(&r, error, fn, state);
	else
		pass_failed(&r);
}

void
record_read(struct run *run, int fd, const char *name, record_fn *fn, void *state)
{
	struct lines *l = &run->io->lines;
	struct slice line;
	char text[64];

	lines_open(l, fd, name, run->common->max_record);
	l->spill = run->io->rejects;
	while (!run_interrupted())
		switch (lines_next(l, &line)) {
		case LINE_END:
			return;
		case LINE_WHOLE:
			do_line(run, line, fn, state);
			break;
		case LINE_TOO_LONG:
			/* Its first bytes may end within a character. */
			line.len = utf8_valid(line.ptr, line.len);
			snprintf(text, sizeof(text), "longer than %zu bytes", l->max);
			error_line(run, line, "too_long", text);
			break;
		case LINE_ERROR:
			warn("%s: cannot read:", name);
			run_status(run, STATUS_FAILED);
			return;
		}
}

static void
read_operand(struct run *run, const char *name, record_fn *fn, void *state)
{
	int fd;

	if (strcmp(name, "-") == 0) {
		record_read(run, STDIN_FILENO, "<stdin>", fn, state);
		return;
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn("cannot open '%s':", name);
		run_status(run, STATUS_FAILED);
		return;
	}
	record_read(run, fd, name, fn, state);
	close(fd);
}

void
record_loop(struct run *run, record_fn *fn, void *state)
{
	if (run->noperands == 0) {
		if (isatty(STDIN_FILENO))
			opt_usage(run->tool, run->command);
		record_read(run, STDIN_FILENO, "<stdin>", fn, state);
	}
	for (int i = 0; i < run->noperands && !run_interrupted(); i++)
		read_operand(run, run->operands[i], fn, state);
}
