#include "tools/extract/emit.h"

#include <stdio.h>

/* Appends the message with {from} and {from, as {to} and {to,. */
static void
rename_one(struct buf *message, struct slice from, struct slice to)
{
	for (size_t at = 0; at + from.len + 1 < message->len; at++) {
		const char *s = message->ptr + at;
		char after = s[1 + from.len];
		if (s[0] != '{' || memcmp(s + 1, from.ptr, from.len) != 0 ||
		    (after != '}' && after != ','))
			continue;
		buf_splice(message, at + 1, from.len, to);
		at += to.len;
	}
}

/* The i-th of names that blanks separate; len 0 when there are fewer. */
static struct slice
nth_name(struct slice names, size_t i)
{
	for (;; i--) {
		const char *blank = memchr(names.ptr, ' ', names.len);
		size_t len = blank ? (size_t)(blank - names.ptr) : names.len;
		if (i == 0 || blank == NULL)
			return (struct slice){names.ptr, i == 0 ? len : 0};
		names.ptr += len + 1;
		names.len -= len + 1;
	}
}

/*
 * A message that was seen before under other placeholder names takes those:
 * one key has one text. Through marked names, as a and b may change places.
 */
static void
rename_placeholders(struct buf *message, const struct found *f, struct slice names)
{
	char mark[] = {1, 0};

	for (size_t i = 0; i < f->nplaceholders && nth_name(names, i).len > 0; i++) {
		mark[1] = (char)(2 + i);
		rename_one(message, f->placeholders[i].name, (struct slice){mark, 2});
	}
	for (size_t i = 0; i < f->nplaceholders && nth_name(names, i).len > 0; i++) {
		mark[1] = (char)(2 + i);
		rename_one(message, (struct slice){mark, 2}, nth_name(names, i));
	}
}

static bool
same_names(const struct found *f, struct slice names)
{
	for (size_t i = 0; i < f->nplaceholders; i++) {
		struct slice name = nth_name(names, i);
		if (name.len > 0 && !slice_eq(name, f->placeholders[i].name))
			return false;
	}
	return true;
}

/*
 * Members are written with their names ready made (`,"key":`): hundreds of
 * thousands of records are made in a second, and these names need no escape.
 */
static void
put_text(struct buf *b, struct slice member, struct slice text)
{
	buf_addslice(b, member);
	json_quote(b, text);
}

static void
put_if_any(struct buf *b, struct slice member, struct slice text)
{
	if (text.len > 0)
		put_text(b, member, text);
}

static void
put_number(struct buf *b, struct slice member, size_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_addslice(b, member);
	buf_add(b, digits + at, sizeof(digits) - at);
}

static void
put_placeholders(struct buf *b, const struct found *f, struct slice names)
{
	if (f->nplaceholders == 0)
		return;
	buf_adds(b, ",\"placeholders\":[");
	for (size_t i = 0; i < f->nplaceholders; i++) {
		const struct placeholder *p = &f->placeholders[i];
		struct slice name = nth_name(names, i);
		put_text(b, i == 0 ? S("{\"name\":") : S(",{\"name\":"),
		    name.len > 0 ? name : p->name);
		put_text(b, S(",\"expr\":"), p->expr);
		put_text(b, S(",\"type\":"), p->type);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void
put_string(struct emit *e, const char *file, const struct found *f)
{
	static const char *const levels[] = {"none", "core", "likely", "all"};
	struct slice names, key = keys_of(e->keys, file, f, &names);
	struct slice value = f->value, plural = f->plural;
	struct buf *b = &e->object;

	if (names.len > 0 && !same_names(f, names)) {
		buf_reset(&e->value);
		buf_addslice(&e->value, value);
		rename_placeholders(&e->value, f, names);
		value = buf_slice(&e->value);
		buf_reset(&e->plural);
		buf_addslice(&e->plural, plural);
		rename_placeholders(&e->plural, f, names);
		plural = buf_slice(&e->plural);
	}
	put_text(b, S(",\"key\":"), key);
	put_text(b, S(",\"value\":"), value);
	put_text(b, S(",\"format\":"), slice(f->format));
	put_text(b, S(",\"level\":"), slice(levels[f->level & 3]));
	put_text(b, S(",\"reason\":"), f->reason);
	put_if_any(b, S(",\"widget\":"), f->widget);
	put_if_any(b, S(",\"context\":"), f->context);
	put_placeholders(b, f, names);
	put_if_any(b, S(",\"plural\":"), plural);
}

static void
put_note(struct buf *b, const struct found *f)
{
	put_if_any(b, S(",\"rule\":"), f->rule);
	put_text(b, S(",\"text\":"), f->value);
	for (size_t i = 0; i < f->ncaptures; i++) {
		json_name_slice(b, f->captures[i].name);
		json_put(b, f->captures[i].expr);
	}
}

static void
put_literal(struct buf *b, const struct found *f)
{
	put_text(b, S(",\"text\":"), f->value);
	put_text(b, S(",\"quote\":"), f->quote);
	put_text(b, S(",\"raw\":"), f->raw);
}

static void
put_place(struct buf *b, const char *file, const struct found *f)
{
	put_text(b, S(",\"file\":"), slice(file));
	if (f->line > 0)
		put_number(b, S(",\"line\":"), f->line);
	if (f->column > 0)
		put_number(b, S(",\"column\":"), f->column);
	if (f->end == 0)
		return;
	put_number(b, S(",\"span\":["), f->start);
	put_number(b, S(","), f->end);
	buf_addc(b, ']');
}

/* The record that asked for the file, which answers for it once. */
static struct record *
take_record(struct emit *e)
{
	struct record *record = e->record;

	e->record = NULL;
	return record;
}

static void
skip(struct emit *e, const char *file, const struct found *f)
{
	struct record *record = take_record(e);

	note("%s: %.*s", file, (int)f->value.len, f->value.ptr);
	if (record != NULL)
		record_pass(record);
}

/* An error is its record's, or a record of its own; what cannot be read is said as well. */
static void
fail(struct emit *e, const char *file, const struct found *f)
{
	struct record *record = take_record(e);
	int len = (int)f->value.len;
	char code[40];

	snprintf(code, sizeof(code), "%.*s", (int)f->rule.len, f->rule.ptr);
	if (record != NULL && f->line > 0) {
		record_fail(record, code, false, "%zu:%zu: %.*s", f->line, f->column, len, f->value.ptr);
		return;
	}
	if (record != NULL) {
		record_fail(record, code, false, "%.*s", len, f->value.ptr);
		return;
	}
	if (strcmp(code, "cannot_read") == 0) {
		warn("%s: %.*s", file, len, f->value.ptr);
		run_status(e->run, STATUS_FAILED);
	}
	buf_reset(&e->object);
	put_place(&e->object, file, f);
	struct slice place = {e->object.ptr + 1, e->object.len - 1};
	run_fail(e->run, place, code, false, "%.*s", len, f->value.ptr);
}

void
emit_found(const struct source *source, const struct found *f, void *emit)
{
	struct emit *e = emit;
	struct buf *b = &e->object;
	const char *file = source->file;

	if (strcmp(f->kind, "error") == 0) {
		fail(e, file, f);
		return;
	}
	if (strcmp(f->kind, "skipped") == 0) {
		skip(e, file, f);
		return;
	}
	bool string = strcmp(f->kind, "string") == 0;
	if (string && ignore_lists(e->ignore, file, f->value))
		return;
	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", slice(f->kind));
	if (string)
		put_string(e, file, f);
	else if (strcmp(f->kind, "note") == 0)
		put_note(b, f);
	else
		put_literal(b, f);
	put_place(b, file, f);
	json_close(b, '}');
	record_emit(e->run, buf_slice(b));
}

void
emit_free(struct emit *e)
{
	buf_free(&e->object);
	buf_free(&e->value);
	buf_free(&e->plural);
}
