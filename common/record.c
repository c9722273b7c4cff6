#include "common/record.h"

#include "common/mem.h"
#include "common/record_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
	out_raise(run);
	lines_free(&io->lines);
	buf_free(&io->edit);
	buf_free(&io->made);
	buf_free(&io->unwrapped);
	free(io);
	return run->status;
}

/* Members of the error object, as kandil-records(5) has them. */
static void
put_error(struct buf *b, const struct run *run, const char *code, bool retryable, struct slice text)
{
	json_open(b, '{');
	json_add(b, "tool", slice(run->tool->name));
	json_add(b, "code", slice(code));
	json_add(b, "message", text);
	json_name(b, "retryable");
	json_put_bool(b, retryable);
	json_close(b, '}');
}

static void
put_base64(struct buf *b, struct slice s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.ptr;

	buf_addc(b, '"');
	for (size_t i = 0; i < s.len; i += 3) {
		size_t n = s.len - i < 3 ? s.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		buf_addc(b, digits[v >> 18]);
		buf_addc(b, digits[v >> 12 & 63]);
		buf_addc(b, n > 1 ? digits[v >> 6 & 63] : '=');
		buf_addc(b, n > 2 ? digits[v & 63] : '=');
	}
	buf_addc(b, '"');
}

/*
 * Into io->made: {"kind":"error","line":N,"error":{…},"raw":"…"}. line 0 leaves
 * the number out.
 */
static void
make_error(struct run *run, size_t line, struct slice error, struct slice raw)
{
	struct buf *b = &run->io->made;

	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", S("error"));
	if (line)
		json_add_long(b, "line", (long long)line);
	json_add_raw(b, "error", error);
	if (utf8_valid(raw.ptr, raw.len) == raw.len) {
		json_add(b, "raw", raw);
	} else {
		json_name(b, "raw_base64");
		put_base64(b, raw);
	}
	json_close(b, '}');
}

static void
after_failure(struct run *run)
{
	run_status(run, STATUS_PARTIAL);
	if (!run->common->strict)
		return;
	warn("stopped at the first failed record (--strict)");
	exit(run_finish(run));
}

/* A line that is no record. */
static void
fail_line(struct run *run, struct slice line, const char *code, const char *text)
{
	struct buf error = {0};
	const struct lines *l = &run->io->lines;

	put_error(&error, run, code, false, slice(text));
	if (run->io->rejects) {
		struct buf why = {0};

		buf_addf(&why, "{\"source\":");
		json_quote(&why, slice(l->name));
		json_add_long(&why, "line", (long long)l->number);
		json_add_raw(&why, "error", buf_slice(&error));
		json_close(&why, '}');
		out_reject(run->io, line, buf_slice(&why));
		buf_free(&why);
	} else {
		make_error(run, l->number, buf_slice(&error), line);
		out_line(buf_slice(&run->io->made));
	}
	buf_free(&error);
	after_failure(run);
}

/* Whether a record's "error" member is ours: an object whose tool is kandil's. */
static bool
is_our_error(struct slice error)
{
	struct slice tool;
	struct buf name = {0};
	bool ours;

	if (error.len == 0 || !json_get(error, "tool", &tool))
		return false;
	ours = json_text(tool, &name) && slice_starts(buf_slice(&name), "kandil");
	buf_free(&name);
	return ours;
}

void
record_fail(struct record *r, const char *code, bool retryable, const char *format, ...)
{
	static const char *const path[] = {"error"};
	struct record_io *io = r->run->io;
	struct buf error = {0}, text = {0};
	struct slice old = {NULL, 0};
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(buf_room(&text, 1000), 1000, format, args);
	va_end(args);
	text.len = n < 0 ? 0 : n > 999 ? 999 : (size_t)n;
	put_error(&error, r->run, code, retryable, buf_slice(&text));
	if (io->rejects) {
		buf_reset(&io->made);
		json_open(&io->made, '{');
		json_add(&io->made, "source", slice(r->source));
		json_add_long(&io->made, "line", (long long)r->line);
		json_add_raw(&io->made, "error", buf_slice(&error));
		json_close(&io->made, '}');
		out_reject(io, r->original, buf_slice(&io->made));
	} else if (json_get(r->text, "error", &old) && !is_our_error(old)) {
		/* The member is the user's: the record is wrapped instead. */
		make_error(r->run, 0, buf_slice(&error), r->original);
		out_line(buf_slice(&io->made));
	} else {
		record_set(r, path, 1, buf_slice(&error));
		out_line(r->text);
	}
	buf_free(&error);
	buf_free(&text);
	after_failure(r->run);
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
look(struct record *r, struct slice *error, struct slice *raw)
{
	struct json_walk w = json_walk(r->text);
	struct slice key, value;

	while (json_member(&w, &key, &value)) {
		if (json_is(key, "kind"))
			r->kind = value;
		else if (json_is(key, "error"))
			*error = value;
		else if (json_is(key, "raw"))
			*raw = value;
	}
}

static void do_line(struct run *run, struct slice line, record_fn *fn, void *state);

/* A failed record with --retry: without its error, or what it wraps. */
static void
retry(struct record *r, struct slice raw, record_fn *fn, void *state)
{
	struct record_io *io = r->run->io;

	if (record_kind(r, "error") && raw.len && !io->unwrapping) {
		buf_reset(&io->unwrapped);
		json_text(raw, &io->unwrapped);
		io->unwrapping = true;
		do_line(r->run, buf_slice(&io->unwrapped), fn, state);
		io->unwrapping = false;
		return;
	}
	buf_reset(&io->edit);
	buf_addslice(&io->edit, r->text);
	json_drop(&io->edit, "error");
	r->text = buf_slice(&io->edit);
	r->kind = (struct slice){NULL, 0};
	json_get(r->text, "kind", &r->kind);
	fn(r, state);
}

static void
do_line(struct run *run, struct slice line, record_fn *fn, void *state)
{
	struct slice text = slice_trim(line), error = {NULL, 0}, raw = {NULL, 0};
	struct record r = {.text = text, .source = run->io->lines.name,
	    .line = run->io->lines.number, .run = run, .original = line};
	struct err e;

	if (text.len == 0)
		return;
	if (json_check(text, &e) != 0) {
		fail_line(run, line, e.code, e.text);
		return;
	}
	if (json_type(text) != JSON_OBJECT) {
		fail_line(run, line, "not_object", "a record must be a JSON object");
		return;
	}
	look(&r, &error, &raw);
	if (!is_our_error(error)) {
		fn(&r, state);
	} else if (run->common->retry) {
		retry(&r, raw, fn, state);
	} else {
		run_status(run, STATUS_PARTIAL);
		record_pass(&r);
	}
}

void
record_read(struct run *run, int fd, const char *name, record_fn *fn, void *state)
{
	struct lines *l = &run->io->lines;
	struct slice line;
	char text[64];

	lines_open(l, fd, name, run->common->max_record);
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
			fail_line(run, line, "too_long", text);
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
