/*
 * The wire protocols, by cases as data: tests/ai/cases/PROTOCOL.ndjson.
 *
 * A line is what goes in and `want`, compared byte for byte:
 *	{"ask":{…},"lack":["schema"],"want":{"path","body"}}	a body
 *	{"ask":{…},"want":{"refused"}}				refused beforehand
 *	{"reply":{…},"want":{"text","finish",…}}		a whole reply
 *	{"events":[…],"want":{…}}				a stream; a string is raw data
 *	{"status":429,"headers":[…],"error":…,"want":{"action",…}}
 *	{"headers":[…],"want":{"requests":[limit,remaining,reset],…}}
 * `about` says what is shown. A new fact takes a line and no C.
 */
#include "check.h"
#include "common/json.h"
#include "common/path.h"
#include "tools/ai/endpoint.h"
#include "tools/ai/schema.h"
#include "tools/ai/wire.h"

#include <dirent.h>
#include <stdlib.h>

static struct slice
get(struct slice object, const char *name)
{
	return wire_member(object, name);
}

static const struct {
	const char *name;
	unsigned lack;
} lacks[] = {
    {"schema", LACK_SCHEMA},
    {"strict", LACK_STRICT},
    {"max_completion", LACK_MAX_COMPLETION},
    {"stream_usage", LACK_STREAM_USAGE},
    {"sampling", LACK_SAMPLING},
    {"json_schema", LACK_JSON_SCHEMA},
    {"seed", LACK_SEED},
    {"effort", LACK_EFFORT},
    {"max_tokens", LACK_MAX_TOKENS},
    {"top_k", LACK_TOP_K},
};
enum { NLACKS = sizeof(lacks) / sizeof(*lacks) };

static unsigned
read_lack(struct slice list)
{
	struct json_walk w = json_walk(list.ptr ? list : S("[]"));
	struct slice one;
	unsigned lack = 0;

	while (json_element(&w, &one))
		for (size_t i = 0; i < NLACKS; i++)
			if (json_is(one, lacks[i].name))
				lack |= lacks[i].lack;
	return lack;
}

/* An ask out of a case; all of it points into the case, names into texts. */
struct asked {
	struct ask ask;
	struct endpoint endpoint;
	struct turn turns[8];
	struct slice headers[2];
	struct buf model, provider;
	struct schema *check;
};

static void
read_ask(struct slice object, struct asked *a)
{
	struct slice list = get(object, "turns"), one, role;
	struct json_walk w = json_walk(list.ptr ? list : S("[]"));

	memset(a, 0, sizeof(*a));
	json_text(get(object, "model").ptr ? get(object, "model") : S("\"m\""), &a->model);
	json_text(get(object, "provider").ptr ? get(object, "provider") : S("\"openai\""),
	    &a->provider);
	a->headers[0] = S("Authorization: Bearer sk-very-secret-key");
	a->headers[1] = S("Content-Type: application/json");
	a->endpoint.provider = a->provider.ptr;
	a->endpoint.headers = a->headers;
	a->endpoint.nheaders = 2;
	a->endpoint.version_new = get(object, "version_new").ptr != NULL;
	a->ask.endpoint = &a->endpoint;
	a->ask.model = buf_slice(&a->model);
	a->ask.turns = a->turns;
	while (a->ask.nturns < 8 && json_element(&w, &one)) {
		role = get(one, "role");
		a->turns[a->ask.nturns++] = (struct turn){json_is(role, "system") ? ROLE_SYSTEM
			: json_is(role, "user")					  ? ROLE_USER
										  : ROLE_ASSISTANT,
		    get(one, "content")};
	}
	a->ask.schema = get(object, "schema");
	if (a->ask.schema.ptr)
		a->ask.check = a->check = schema_open(a->ask.schema, NULL);
	a->ask.max_tokens = get(object, "max_tokens");
	a->ask.temperature = get(object, "temperature");
	a->ask.top_p = get(object, "top_p");
	a->ask.top_k = get(object, "top_k");
	a->ask.seed = get(object, "seed");
	a->ask.stop = get(object, "stop");
	a->ask.effort = get(object, "effort");
	a->ask.extra = get(object, "extra");
	a->ask.stream = get(object, "stream").ptr != NULL;
}

static void
free_ask(struct asked *a)
{
	if (a->check)
		schema_close(a->check);
	buf_free(&a->model);
	buf_free(&a->provider);
}

static void
show_ask(const struct protocol *p, struct slice object, unsigned lack, struct buf *got)
{
	struct buf text = {0};
	struct asked a;
	struct err e;

	read_ask(object, &a);
	json_open(got, '{');
	if (p->check && p->check(&a.ask, &e) != 0) {
		CHECK(strcmp(e.code, "bad_value") == 0);
		json_add(got, "refused", slice(e.text));
	} else {
		p->path(&a.ask, &text);
		json_add(got, "path", buf_slice(&text));
		buf_reset(&text);
		p->body(&a.ask, lack, &text);
		CHECK(json_check(buf_slice(&text), NULL) == 0);
		json_add_raw(got, "body", buf_slice(&text));
	}
	json_close(got, '}');
	buf_free(&text);
	free_ask(&a);
}

static void
show_reply(const struct reply *r, struct buf *got)
{
	static const char *const finishes[] = {"none", "stop", "length", "refused", "other"};

	json_open(got, '{');
	json_add(got, "text", buf_slice(&r->text));
	json_add(got, "finish", slice(finishes[r->finish]));
	json_add(got, "word", buf_slice(&r->finish_word));
	if (r->model.len)
		json_add(got, "model", buf_slice(&r->model));
	if (r->id.len)
		json_add(got, "id", buf_slice(&r->id));
	if (r->usage.known) {
		json_name(got, "usage");
		json_open(got, '{');
		json_add_long(got, "input", r->usage.input);
		json_add_long(got, "cached", r->usage.cached);
		json_add_long(got, "output", r->usage.output);
		json_add_long(got, "reasoning", r->usage.reasoning);
		if (r->usage.written)
			json_add_long(got, "written", r->usage.written);
		json_close(got, '}');
	}
	json_close(got, '}');
}

static void
show_failure(const struct failure *f, struct buf *got)
{
	static const char *const actions[] = {"retry", "fail", "stop", "fallback"};

	json_open(got, '{');
	json_add(got, "action", slice(actions[f->action]));
	json_add(got, "code", slice(f->code));
	if (f->wait_ms)
		json_add_long(got, "wait_ms", f->wait_ms);
	if (f->slow_down)
		json_add_raw(got, "slow_down", S("true"));
	for (size_t i = 0; i < NLACKS; i++)
		if (f->lack == lacks[i].lack)
			json_add(got, "lack", slice(lacks[i].name));
	json_add(got, "text", slice(f->text));
	json_close(got, '}');
}

/* What one stream comes to. */
struct streamed {
	const struct protocol *protocol;
	struct reply reply;
	struct failure failure;
	int result;
};

static int
on_event(struct slice name, struct slice data, void *state)
{
	struct streamed *s = state;

	s->result = s->protocol->event(name, data, &s->reply, &s->failure);
	return s->result;
}

static void
show_stream(const struct streamed *s, struct buf *got)
{
	if (s->result < 0)
		show_failure(&s->failure, got);
	else
		show_reply(&s->reply, got);
}

/* The events as the server would send them. */
static void
put_stream(const struct protocol *p, struct slice events, struct buf *out)
{
	struct json_walk w = json_walk(events);
	struct slice one;

	while (json_element(&w, &one)) {
		if (!p->ndjson)
			buf_adds(out, "data: ");
		if (!json_text(one, out))
			buf_addslice(out, one);
		buf_adds(out, p->ndjson ? "\n" : "\n\n");
	}
}

/* The same whatever portions it comes in. */
static void
show_events(const struct protocol *p, struct slice events, struct buf *got)
{
	struct buf bytes = {0}, again = {0};
	struct streamed s = {.protocol = p};
	struct sse sse = {.lines = p->ndjson};

	put_stream(p, events, &bytes);
	sse_feed(&sse, buf_slice(&bytes), on_event, &s);
	show_stream(&s, got);
	sse_reset(&sse);
	reply_reset(&s.reply);
	s.result = 0;
	for (size_t i = 0; i < bytes.len; i++)
		if (sse_feed(&sse, (struct slice){bytes.ptr + i, 1}, on_event, &s) != 0)
			break;
	show_stream(&s, &again);
	CHECK_TEXT(again.ptr, got->ptr);
	sse_free(&sse);
	reply_free(&s.reply);
	buf_free(&bytes);
	buf_free(&again);
}

static void
show_error(const struct protocol *p, struct slice line, struct slice headers, struct buf *got)
{
	struct buf text = {0};
	struct failure f;
	struct slice body = get(line, "error");
	long long status = 0;
	struct asked a;

	if (body.ptr && json_text(body, &text))
		body = buf_slice(&text);
	if (body.ptr == NULL)
		body = S("");
	json_long(get(line, "status"), &status);
	read_ask(get(line, "ask").ptr ? get(line, "ask") : S("{}"), &a);
	p->failure((int)status, headers, body, &a.ask, read_lack(get(line, "lack")), &f);
	show_failure(&f, got);
	free_ask(&a);
	buf_free(&text);
}

static void
show_rate(const char *name, const struct rate *r, struct buf *got)
{
	if (r->limit == -1 && r->remaining == -1 && r->reset_ms == -1)
		return;
	json_name(got, name);
	json_open(got, '[');
	json_put_long(got, r->limit);
	json_put_long(got, r->remaining);
	json_put_long(got, r->reset_ms);
	json_close(got, ']');
}

static void
show_limits(const struct protocol *p, struct slice headers, struct buf *got)
{
	struct limits l;

	p->limits(headers, &l);
	json_open(got, '{');
	show_rate("requests", &l.requests, got);
	show_rate("tokens", &l.tokens, got);
	show_rate("input", &l.input, got);
	show_rate("output", &l.output, got);
	json_close(got, '}');
}

static void
run_case(const struct protocol *p, struct slice line, struct buf *got)
{
	struct slice list = get(line, "headers"), one, whole = get(line, "reply");
	struct json_walk w = json_walk(list.ptr ? list : S("[]"));
	struct buf headers = {0};
	struct reply r = {0};
	struct err e;

	buf_adds(&headers, "HTTP/1.1 200 OK\r\n");
	while (json_element(&w, &one)) {
		json_text(one, &headers);
		buf_adds(&headers, "\r\n");
	}
	buf_adds(&headers, "\r\n");
	if (get(line, "status").ptr) {
		show_error(p, line, buf_slice(&headers), got);
	} else if (get(line, "events").ptr) {
		show_events(p, get(line, "events"), got);
	} else if (whole.ptr) {
		if (p->reply(whole, &r, &e) == 0) {
			show_reply(&r, got);
		} else {
			CHECK(strcmp(e.code, "bad_reply") == 0);
			json_open(got, '{');
			json_add(got, "refused", slice(e.text));
			json_close(got, '}');
		}
		reply_free(&r);
	} else if (list.ptr) {
		show_limits(p, buf_slice(&headers), got);
	} else {
		show_ask(p, get(line, "ask"), read_lack(get(line, "lack")), got);
	}
	buf_free(&headers);
}

static void
run_file(const char *folder, const char *file)
{
	char *path = path_join(folder, file);
	struct slice rest, line, want, name = slice(file);
	struct buf text = {0}, got = {0};
	const struct protocol *p;
	struct err e;
	int number = 0;

	name.len -= strlen(".ndjson");
	p = protocol_find(name);
	CHECK(p != NULL);
	CHECK(path_read(path, 1 << 20, &text, &e) == 0);
	rest = buf_slice(&text);
	while (p && slice_line(&rest, &line)) {
		number++;
		if (json_check(line, &e) != 0) {
			fprintf(stderr, "%s:%d: %s\n", path, number, e.text);
			check_failed++;
			continue;
		}
		buf_reset(&got);
		run_case(p, line, &got);
		want = get(line, "want");
		if (want.ptr && slice_eq(want, buf_slice(&got))) {
			check_passed++;
			continue;
		}
		check_failed++;
		fprintf(stderr, "%s:%d\nwant: %.*s\n got: %s\n", path, number, (int)want.len,
		    want.ptr ? want.ptr : "", got.ptr);
	}
	CHECK(number > 0);
	buf_free(&text);
	buf_free(&got);
	free(path);
}

/* The shipped words around a schema: one line feed at their end at most, the schema in them. */
static void
check_prompt(void)
{
	struct buf inside = {0};
	struct err e;

	setenv("KANDIL_DATADIR", "/nonexistent", 1);
	CHECK(provider_load(&e) == -1 && strcmp(e.code, "cannot_read") == 0);
	schema_prompt(S("{}"), &inside);
	CHECK_TEXT(inside.ptr, "{}");
	setenv("KANDIL_DATADIR", "tools", 1);
	CHECK(provider_load(&e) == 0);
	buf_reset(&inside);
	schema_prompt(S("{\"type\":\"object\"}"), &inside);
	CHECK(slice_starts(buf_slice(&inside), "Reply with one JSON value"));
	CHECK(slice_ends(buf_slice(&inside), "\\n\\n{\\\"type\\\":\\\"object\\\"}"));
	buf_free(&inside);
}

/* Every lack has its words. */
static void
check_says(void)
{
	for (size_t i = 0; i < NLACKS; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(lack_says((enum lack)lacks[i].lack),
				  lack_says((enum lack)lacks[j].lack)) != 0);
}

/* A server that echoes a key inside a stream or a reply: it goes no further. */
static void
check_keys_hidden(void)
{
	struct asked a;
	struct failure f;

	read_ask(S("{}"), &a);
	CHECK(failure_inside(S("{\"error\":{\"message\":\"bad key sk-very-secret-key, "
			       "sk-very-secret-key\",\"code\":\"invalid_api_key\"}}"), &f) == -1);
	failure_hide(&a.endpoint, &f);
	CHECK_TEXT(f.text, "bad key ***, ***");
	failure_hide(&a.endpoint, &f);
	CHECK_TEXT(f.text, "bad key ***, ***");
	/* A text that was cut within it. */
	snprintf(f.text, sizeof(f.text), "bad key sk-very-s");
	failure_hide(&a.endpoint, &f);
	CHECK_TEXT(f.text, "bad key ***");
	free_ask(&a);
}

int
main(void)
{
	static const char folder[] = "tests/ai/cases";
	struct dirent *entry;
	DIR *dir = opendir(folder);

	check_prompt();
	check_says();
	check_keys_hidden();
	schema_prompt_set(S("Reply with JSON of:\n{schema}\nand no more.\n"));
	CHECK(dir != NULL);
	while (dir && (entry = readdir(dir)))
		if (slice_ends(slice(entry->d_name), ".ndjson"))
			run_file(folder, entry->d_name);
	if (dir)
		closedir(dir);
	CHECK(protocol_find(S("telepathy")) == NULL);
	return check_done();
}
