/*
 * Writing a request's body, and reading members of an answer.
 */
#include "tools/ai/wire.h"

static bool
names(const struct body *b, const char *name)
{
	struct slice value;

	return b->extra.ptr && json_get(b->extra, name, &value);
}

static void
own(struct body *b, const char *name)
{
	if (b->kept < BODY_KEEPS)
		b->keeps[b->kept++] = name;
}

static bool
owned(const struct body *b, struct slice key)
{
	for (size_t i = 0; i < b->kept; i++)
		if (json_is(key, b->keeps[i]))
			return true;
	return false;
}

void
body_start(struct body *b, struct buf *out, struct slice extra)
{
	*b = (struct body){.out = out, .extra = extra};
	buf_addc(out, '{');
}

bool
body_name(struct body *b, const char *name)
{
	if (b->out == NULL || names(b, name))
		return false;
	json_name(b->out, name);
	return true;
}

void
body_raw(struct body *b, const char *name, struct slice value)
{
	if (value.ptr && body_name(b, name))
		buf_addslice(b->out, value);
}

void
body_text(struct body *b, const char *name, struct slice text)
{
	if (body_name(b, name))
		json_quote(b->out, text);
}

void
body_fixed(struct body *b, const char *name, struct slice value)
{
	if (b->out == NULL)
		return;
	json_add_raw(b->out, name, value);
	own(b, name);
}

void
body_without(struct body *b, const char *name)
{
	own(b, name);
}

void
body_open(struct body *b, const char *name, struct body *inner)
{
	struct slice extra = {0};

	*inner = (struct body){0};
	if (b->out == NULL)
		return;
	if (b->extra.ptr && json_get(b->extra, name, &extra) && json_type(extra) != JSON_OBJECT)
		return;
	own(b, name);
	json_name(b->out, name);
	body_start(inner, b->out, extra);
}

void
body_close(struct body *b)
{
	struct json_walk w;
	struct slice key, value;

	if (b->out == NULL)
		return;
	if (b->extra.ptr) {
		w = json_walk(b->extra);
		while (json_member(&w, &key, &value)) {
			if (owned(b, key))
				continue;
			json_put_raw(b->out, key);
			buf_addc(b->out, ':');
			buf_addslice(b->out, value);
		}
	}
	json_close(b->out, '}');
}

void
wire_splice(struct buf *out, struct slice array)
{
	struct json_walk w = json_walk(array);
	struct slice part;

	while (json_element(&w, &part))
		json_put_raw(out, part);
}

/* Nearly no name holds an escape: the bytes decide, and json_is the rest. */
static bool
key_is(struct slice key, struct slice name)
{
	if (key.len == name.len + 2 && memcmp(key.ptr + 1, name.ptr, name.len) == 0)
		return true;
	return memchr(key.ptr, '\\', key.len) && json_is(key, name.ptr);
}

void
wire_pick(struct slice object, const struct slice *wanted, struct slice *values, size_t n)
{
	struct json_walk w = json_walk(object);
	struct slice key, value;

	memset(values, 0, n * sizeof(*values));
	while (json_member(&w, &key, &value))
		for (size_t i = 0; i < n; i++)
			if (key_is(key, wanted[i])) {
				values[i] = value;
				break;
			}
}

struct slice
wire_member(struct slice object, const char *name)
{
	struct slice value = {0};

	if (object.ptr == NULL || !json_get(object, name, &value))
		return (struct slice){0};
	return value;
}

struct slice
wire_first(struct slice array)
{
	struct json_walk w;
	struct slice value;

	if (array.ptr) {
		w = json_walk(array);
		if (json_element(&w, &value))
			return value;
	}
	return (struct slice){0};
}

long long
wire_count(struct slice value)
{
	const long long most = 1000000000000000;
	long long n;

	if (value.ptr == NULL || !json_long(value, &n) || n < 0)
		return 0;
	return n < most ? n : most;
}

static void
at_most(long long *part, long long whole)
{
	if (*part > whole)
		*part = whole;
}

void
wire_usage(struct usage *u)
{
	at_most(&u->cached, u->input);
	at_most(&u->written, u->input - u->cached);
	at_most(&u->reasoning, u->output);
}

bool
wire_counts(struct slice usage, const struct slice *names, struct slice *values, size_t n,
    struct usage *u)
{
	if (!wire_given(usage))
		return false;
	wire_pick(usage, names, values, n);
	if (values[0].ptr == NULL && values[1].ptr == NULL)
		return false;
	u->known = true;
	return true;
}

bool
wire_given(struct slice value)
{
	return value.ptr && json_type(value) != JSON_NULL;
}

bool
wire_text(struct slice value, struct buf *out)
{
	static const struct slice wanted[] = {S("type"), S("text")};
	struct slice part, found[2];
	struct json_walk w;

	if (value.ptr == NULL)
		return false;
	if (json_type(value) != JSON_ARRAY)
		return json_text(value, out);
	w = json_walk(value);
	while (json_element(&w, &part)) {
		wire_pick(part, wanted, found, 2);
		if (found[1].ptr &&
		    (found[0].ptr == NULL || json_is(found[0], "text") ||
			json_is(found[0], "output_text")))
			json_text(found[1], out);
	}
	return true;
}

void
wire_copy(struct slice value, struct buf *out)
{
	if (value.ptr == NULL || json_type(value) != JSON_STRING)
		return;
	buf_reset(out);
	json_text(value, out);
}

void
wire_finish(struct reply *r, const struct finish_word *table, struct slice word)
{
	wire_copy(word, &r->finish_word);
	r->finish = FINISH_OTHER;
	for (; table->word; table++)
		if (json_is(word, table->word)) {
			r->finish = table->finish;
			break;
		}
}

void
wire_refused(struct reply *r)
{
	r->finish = FINISH_REFUSED;
	buf_reset(&r->finish_word);
	buf_adds(&r->finish_word, "refusal");
}

int
wire_whole(struct slice body, take_piece *take, const char *expected, struct reply *r,
    struct err *e)
{
	reply_reset(r);
	if (take(body, r) != 0 || r->finish == FINISH_NONE)
		return reply_refused(e, body, expected);
	return 0;
}

int
wire_piece(struct slice data, take_piece *take, const char *const wrong[2], struct reply *r,
    struct failure *f)
{
	if (json_check(data, NULL) != 0)
		return failure_garbled(f, wrong[0]);
	if (wire_given(wire_member(data, "error")))
		return failure_inside(data, f);
	if (take(data, r) != 0)
		return failure_garbled(f, wrong[1]);
	return r->finish != FINISH_NONE;
}
