/*
 * Errors as data: making error records, diverting what failed, and finding
 * the original of a failed record again, as kandil-records(5) has it.
 */
#include "common/base64.h"
#include "common/record_io.h"

#include <stdarg.h>

static void
put_base64(struct buf *b, struct slice s)
{
	buf_addc(b, '"');
	base64_put(b, s);
	buf_addc(b, '"');
}

/* Decodes a JSON string of base64; what is damaged gives the bytes before the fault. */
static void
get_base64(struct slice value, struct buf *out)
{
	base64_get(out, (struct slice){value.ptr + 1, value.len - 2});
}

/* The error object's members. */
static void
put_error(struct buf *b, const struct run *run, const char *code, bool retryable, struct slice text,
    struct slice members)
{
	json_open(b, '{');
	json_add(b, "tool", slice(run->tool->name));
	json_add(b, "code", slice(code));
	json_add(b, "message", text);
	json_name(b, "retryable");
	json_put_bool(b, retryable);
	if (members.len)
		json_put_raw(b, members);
	json_close(b, '}');
}

static void
format_text(struct buf *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
format_text(struct buf *text, const char *format, va_list args)
{
	int n = vsnprintf(buf_room(text, 1000), 1000, format, args);

	text->len = n < 0 ? 0 : n > 999 ? 999 : (size_t)n;
}

/* {"kind":"error","line":N,"error":{…},"raw":"…"}; line 0 leaves the number out. */
static void
put_wrapped(struct buf *b, size_t line, struct slice error, struct slice raw)
{
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

/* {"source":"x","line":N,"error":{…}}, a line of FILE.why. */
static void
put_why(struct buf *b, const char *source, size_t line, struct slice error)
{
	json_open(b, '{');
	json_add(b, "source", slice(source));
	json_add_long(b, "line", (long long)line);
	json_add_raw(b, "error", error);
	json_close(b, '}');
}

/* A captured failure stops the run when it is written: others may come before it. */
static void
after_failure(struct run *run)
{
	struct record_io *io = run->io;

	run_status(run, STATUS_PARTIAL);
	if (io->capture)
		io->capture->failed = true;
	if (!run->common->strict)
		return;
	if (!io->capture)
		out_stop(run);
	io->stopped = true;
}

void
error_line(struct run *run, struct slice line, const char *code, const char *text)
{
	struct buf error = {0}, made = {0};
	const struct lines *l = &run->io->lines;

	put_error(&error, run, code, false, slice(text), (struct slice){"", 0});
	if (run->io->rejects) {
		put_why(&made, l->name, l->number, buf_slice(&error));
		out_reject(run, line, l->spilt > 0, buf_slice(&made));
	} else {
		put_wrapped(&made, l->number, buf_slice(&error), line);
		out_line(run, buf_slice(&made));
	}
	buf_free(&error);
	buf_free(&made);
	after_failure(run);
}

bool
error_is_ours(struct slice error, const char *prefix)
{
	struct slice tool;
	struct buf name = {0};
	bool ours;

	if (error.len == 0 || !json_get(error, "tool", &tool))
		return false;
	ours = json_text(tool, &name) && slice_starts(buf_slice(&name), prefix);
	buf_free(&name);
	return ours;
}

bool
error_original(struct slice record, struct buf *out)
{
	struct slice value;

	if (json_get(record, "raw", &value) && json_type(value) == JSON_STRING) {
		json_text(value, out);
		return true;
	}
	if (json_get(record, "raw_base64", &value) && json_type(value) == JSON_STRING) {
		get_base64(value, out);
		return true;
	}
	return false;
}

void
record_fail_with(struct record *r, const char *code, bool retryable, struct slice members,
    struct slice text)
{
	static const char *const path[] = {"error"};
	struct buf error = {0}, made = {0};
	struct slice old = {NULL, 0};

	put_error(&error, r->run, code, retryable, text, members);
	if (r->run->io->rejects) {
		put_why(&made, r->source, r->line, buf_slice(&error));
		out_reject(r->run, r->original, false, buf_slice(&made));
	} else if (json_get(r->text, "error", &old) && !error_is_ours(old, "kandil")) {
		/* The member is the user's: the record is wrapped instead. */
		put_wrapped(&made, 0, buf_slice(&error), r->original);
		out_line(r->run, buf_slice(&made));
	} else {
		record_set(r, path, 1, buf_slice(&error));
		out_line(r->run, r->text);
	}
	buf_free(&error);
	buf_free(&made);
	after_failure(r->run);
}

void
record_fail(struct record *r, const char *code, bool retryable, const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	va_start(args, format);
	format_text(&text, format, args);
	va_end(args);
	record_fail_with(r, code, retryable, (struct slice){"", 0}, buf_slice(&text));
	buf_free(&text);
}

void
run_fail(struct run *run, struct slice place, const char *code, bool retryable,
    const char *format, ...)
{
	struct buf error = {0}, text = {0}, made = {0};
	va_list args;

	va_start(args, format);
	format_text(&text, format, args);
	va_end(args);
	put_error(&error, run, code, retryable, buf_slice(&text), (struct slice){"", 0});
	json_open(&made, '{');
	json_add(&made, "kind", S("error"));
	if (place.len)
		json_put_raw(&made, place);
	json_add_raw(&made, "error", buf_slice(&error));
	json_close(&made, '}');
	out_line(run, buf_slice(&made));
	buf_free(&error);
	buf_free(&text);
	buf_free(&made);
	after_failure(run);
}
