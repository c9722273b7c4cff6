/*
 * Reading what an error's body says.
 */
#include "tools/ai/trouble.h"

#include "common/time.h"
#include "tools/ai/wire.h"

#include <limits.h>
#include <stdlib.h>

enum { WORDS_MAX = 4096 }; /* bytes of a message that are looked at, before it is made to fit */

/* FastAPI and pydantic: where and what, of each entry. */
static void
add_details(struct slice list, struct buf *words)
{
	static const struct slice wanted[] = {S("loc"), S("msg")};
	struct json_walk w = json_walk(list), steps;
	struct slice one, step, found[2];

	while (words->len < WORDS_MAX && json_element(&w, &one)) {
		wire_pick(one, wanted, found, 2);
		if (found[1].ptr == NULL)
			continue;
		if (words->len)
			buf_adds(words, "; ");
		if (found[0].ptr) {
			bool first = true;

			steps = json_walk(found[0]);
			while (json_element(&steps, &step)) {
				if (!first)
					buf_addc(words, '.');
				first = false;
				if (!json_text(step, words))
					buf_addslice(words, step);
			}
			buf_adds(words, ": ");
		}
		json_text(found[1], words);
	}
}

/* A page for people (a proxy's, a web server's): its title says it all. */
static void
add_page(struct slice body, struct buf *words)
{
	const char *at = memmem(body.ptr, body.len, "<title>", 7), *end;

	if (at) {
		at += 7;
		end = memmem(at, (size_t)(body.ptr + body.len - at), "</title>", 8);
		if (end) {
			buf_add(words, at, (size_t)(end - at));
			return;
		}
	}
	if (body.len && *body.ptr != '<')
		buf_add(words, body.ptr, body.len < WORDS_MAX ? body.len : WORDS_MAX);
}

/* message: a string, a list of details, or an object that holds one. */
static void
add_message(struct slice message, struct buf *words)
{
	if (message.ptr == NULL || json_text(message, words))
		return;
	if (json_type(message) == JSON_OBJECT)
		message = wire_member(message, "detail");
	if (message.ptr && !json_text(message, words))
		add_details(message, words);
}

/*
 * Takes the members of one error. Returns the text that may hold another
 * error inside: the upstream's own words, or the message.
 */
static struct slice
take(struct slice error, struct trouble *t)
{
	static const struct slice wanted[] = {S("code"), S("type"), S("param"), S("status"),
	    S("details"), S("metadata"), S("message"), S("detail")};
	struct slice found[8], raw;

	wire_pick(error, wanted, found, 8);
	t->code = found[0];
	t->type = found[1];
	t->param = found[2];
	t->status = found[3];
	t->details = found[4];
	t->metadata = found[5];
	if (t->details.ptr && json_type(t->details) == JSON_OBJECT)
		t->detail_code = wire_member(t->details, "error_code");
	buf_reset(&t->words);
	add_message(found[6], &t->words);
	if (t->words.len == 0)
		add_message(found[7], &t->words);
	raw = t->metadata.ptr ? wire_member(t->metadata, "raw") : (struct slice){0};
	return raw.ptr ? raw : found[6];
}

/* A message at the top, which a good reply may have as well, but as an object of its own. */
static bool
is_message(struct slice message)
{
	enum json_type type = message.ptr ? json_type(message) : JSON_NULL;

	return type == JSON_STRING || type == JSON_ARRAY ||
	    (type == JSON_OBJECT && wire_member(message, "detail").ptr);
}

/* The object that holds the error's members; ptr NULL: none does. */
static struct slice
find(struct slice value, struct trouble *t)
{
	static const struct slice wanted[] = {S("error"), S("message"), S("detail"), S("response"),
	    S("errors")};
	struct slice found[5];

	if (json_type(value) == JSON_ARRAY)
		value = wire_first(value);
	if (value.ptr == NULL || json_type(value) != JSON_OBJECT)
		return (struct slice){0};
	wire_pick(value, wanted, found, 5);
	if (found[0].ptr == NULL && found[3].ptr) /* response.failed of the responses API */
		found[0] = wire_member(found[3], "error");
	if (found[0].ptr == NULL && found[4].ptr) /* a failed interaction */
		found[0] = wire_first(found[4]);
	if (wire_given(found[0]) && json_type(found[0]) == JSON_OBJECT)
		return found[0];
	if (wire_given(found[0]) && json_type(found[0]) == JSON_STRING) {
		t->object = true;
		take(value, t);
		buf_reset(&t->words);
		json_text(found[0], &t->words);
		return (struct slice){0};
	}
	return is_message(found[1]) || is_message(found[2]) ? value : (struct slice){0};
}

static void
read_body(struct slice body, struct trouble *t)
{
	struct slice error, inside;

	body = slice_trim(body);
	if (body.len == 0 || json_check(body, NULL) != 0) {
		if (body.len)
			add_page(body, &t->words);
		return;
	}
	error = find(body, t);
	for (int depth = 0; error.ptr; depth++) {
		t->object = true;
		inside = take(error, t);
		error = (struct slice){0};
		if (depth == TROUBLE_DEEP || inside.ptr == NULL || inside.len < 4 ||
		    !json_text(inside, &t->inner[depth]))
			return;
		inside = slice_trim(buf_slice(&t->inner[depth]));
		if (inside.len && (*inside.ptr == '{' || *inside.ptr == '[') &&
		    json_check(inside, NULL) == 0)
			error = find(inside, t);
	}
}

void
trouble_read(struct slice body, struct trouble *t)
{
	read_body(body, t);
	if (t->words.len > WORDS_MAX)
		buf_cut(&t->words, utf8_valid(t->words.ptr, WORDS_MAX));
}

void
trouble_free(struct trouble *t)
{
	buf_free(&t->words);
	for (int i = 0; i < TROUBLE_DEEP; i++)
		buf_free(&t->inner[i]);
}

bool
trouble_is(const struct trouble *t, const char *const *words)
{
	const struct slice said[] = {t->code, t->type, t->status, t->detail_code};

	for (; *words; words++)
		for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
			if (said[i].ptr && json_is(said[i], *words))
				return true;
	return false;
}

int
trouble_status(const struct trouble *t)
{
	struct slice code = t->code;
	long long n = 0;

	if (code.ptr == NULL)
		return 0;
	if (code.len == 5 && *code.ptr == '"') /* "429" */
		code = (struct slice){code.ptr + 1, 3};
	if (json_check(code, NULL) != 0 || !json_long(code, &n))
		return 0;
	return n >= 400 && n <= 599 ? (int)n : 0;
}

static bool
is_detail(struct slice detail, const char *type)
{
	struct slice at = wire_member(detail, "@type");

	return at.len > 2 && slice_ends((struct slice){at.ptr + 1, at.len - 2}, type);
}

long
trouble_wait(const struct trouble *t)
{
	struct json_walk w;
	struct slice one, delay;
	int64_t ms, most = 0;

	if (t->details.ptr == NULL)
		return 0;
	w = json_walk(t->details);
	while (json_element(&w, &one)) {
		delay = is_detail(one, "google.rpc.RetryInfo") ? wire_member(one, "retryDelay")
							       : (struct slice){0};
		if (delay.len > 2 && *delay.ptr == '"' &&
		    time_parse_length((struct slice){delay.ptr + 1, delay.len - 2}, &ms) == 0 &&
		    ms > most)
			most = ms;
	}
	return most < LONG_MAX ? (long)most : LONG_MAX;
}

static bool
says_day(struct slice text)
{
	return text.ptr && memmem(text.ptr, text.len, "PerDay", 6) != NULL;
}

bool
trouble_daily(const struct trouble *t)
{
	struct json_walk w, inside;
	struct slice one, list, violation;

	if (t->details.ptr == NULL)
		return false;
	w = json_walk(t->details);
	while (json_element(&w, &one)) {
		list = is_detail(one, "google.rpc.QuotaFailure") ? wire_member(one, "violations")
								 : (struct slice){0};
		inside = json_walk(list.ptr ? list : S("[]"));
		while (json_element(&inside, &violation))
			if (says_day(wire_member(violation, "quotaId")))
				return true;
		if (is_detail(one, "google.rpc.ErrorInfo") &&
		    says_day(wire_member(wire_member(one, "metadata"), "quota_limit")))
			return true;
	}
	return false;
}

bool
trouble_reason(const struct trouble *t, const char *reason)
{
	struct json_walk w;
	struct slice one, said;

	if (t->details.ptr == NULL)
		return false;
	w = json_walk(t->details);
	while (json_element(&w, &one)) {
		said = wire_member(one, "reason");
		if (said.ptr && json_is(said, reason))
			return true;
	}
	return false;
}

static bool
in_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool
words_hold(struct slice words, const char *const *list)
{
	if (words.len > WORDS_MAX)
		words.len = WORDS_MAX;
	for (; *list; list++) {
		size_t n = strlen(*list);

		for (size_t i = 0; i + n <= words.len; i++)
			if (strncasecmp(words.ptr + i, *list, n) == 0 &&
			    (i == 0 || !in_word(words.ptr[i - 1])) &&
			    (i + n == words.len || !in_word(words.ptr[i + n])))
				return true;
	}
	return false;
}
