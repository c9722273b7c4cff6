#include "tools/ai/prompt.h"

#include "common/path.h"
#include "common/query.h"
#include "tools/ai/param.h"
#include "tools/ai/schema.h"

#include <stdlib.h>

enum {
	TURNS = 1000, /* messages of one ask */
	SCHEMAS = 64, /* different schemas that records bring along */
	SCHEMA_FILE = 1 << 20,
};

/* A schema, compiled once however many records bring it. */
struct known_schema {
	struct buf text;
	struct schema *check;
};

struct prompter {
	const struct settings *settings;
	struct endpoints *endpoints;
	struct query *prompt, *system, *request;
	bool own;	 /* the record itself is the request */
	struct ask base; /* what the options say */
	struct buf file, params, model;
	struct known_schema schema[SCHEMAS];
	size_t nschemas;
};

/* ---- what the options say ---- */

/* A program; a plain sentence is the likeliest mistake, so the message shows how to quote it. */
static int
compile(struct query **out, const char *option, const char *program, struct err *e)
{
	struct err why;

	if (program == NULL)
		return 0;
	if (query_open(out, option, slice(program), &why) == 0) {
		query_whole(*out);
		return 0;
	}
	return err_set(e, "bad_program",
	    "%s is a jq program, and this is none: %s: a text goes in double quotes within single "
	    "ones, '\"Classify: \\(.text)\"'",
	    option, why.text);
}

static int
use_schema(struct prompter *p, struct slice text, struct ask *ask, struct err *e)
{
	struct known_schema *k = NULL;

	for (size_t i = 0; i < p->nschemas && k == NULL; i++)
		if (slice_eq(buf_slice(&p->schema[i].text), text))
			k = &p->schema[i];
	if (k == NULL) {
		if (p->nschemas == SCHEMAS)
			return err_set(
			    e, "bad_schema", "more than %d different schemas in one run", SCHEMAS);
		k = &p->schema[p->nschemas];
		buf_reset(&k->text);
		buf_addslice(&k->text, text);
		if ((k->check = schema_open(buf_slice(&k->text), e)) == NULL)
			return -1;
		p->nschemas++;
	}
	ask->schema = buf_slice(&k->text);
	ask->check = k->check;
	return 0;
}

/* A misspelt keyword asks for nothing: said once, at the start. */
static void
tell_unknown(const struct schema *schema)
{
	struct buf lines = {0};
	struct slice rest, line;

	schema_unknown(schema, &lines);
	rest = buf_slice(&lines);
	while (slice_line(&rest, &line))
		note("--schema: %.*s", (int)line.len, line.ptr);
	buf_free(&lines);
}

/* --schema: a file, or the schema itself. */
static int
option_schema(struct prompter *p, const char *given, struct err *e)
{
	struct buf text = {0};
	struct slice schema = slice_trim(slice(given));
	bool file = !slice_starts(schema, "{");
	struct err why;
	int rc;

	if (file && path_read(given, SCHEMA_FILE, &text, e) < 0) {
		buf_free(&text);
		return -1;
	}
	if (file)
		schema = slice_trim(buf_slice(&text));
	rc = json_check(schema, &why);
	if (rc < 0)
		err_set(e, "bad_schema", "--schema: %s%snot JSON: %s", file ? given : "",
		    file ? ": " : "", why.text);
	else if ((rc = use_schema(p, schema, &p->base, &why)) < 0)
		err_set(e, "bad_schema", "--schema: %s%s%s", file ? given : "", file ? ": " : "",
		    why.text);
	else
		tell_unknown(p->base.check);
	buf_free(&text);
	return rc;
}

static int
open_all(struct prompter *p, struct err *e)
{
	const struct settings *s = p->settings;
	const char *program = s->prompt;

	if (s->prompt && s->prompt_file)
		return err_set(e, "bad_value", "--prompt and --prompt-file: one of them");
	if (s->prompt_file) {
		if (path_read(s->prompt_file, QUERY_PROGRAM, &p->file, e) < 0)
			return -1;
		buf_addc(&p->file, '\0');
		program = p->file.ptr;
	}
	p->own = program == NULL && s->request == NULL;
	if (compile(&p->prompt, s->prompt_file ? "--prompt-file" : "--prompt", program, e) < 0 ||
	    compile(&p->system, "--system", s->system, e) < 0 ||
	    compile(&p->request, "--request", s->request, e) < 0 ||
	    param_options(&p->base, s, &p->params, e) < 0)
		return -1;
	return s->schema ? option_schema(p, s->schema, e) : 0;
}

int
prompt_open(
    struct prompter **out, const struct settings *s, struct endpoints *endpoints, struct err *e)
{
	struct prompter *p = xcalloc(1, sizeof(*p));

	p->settings = s;
	p->endpoints = endpoints;
	*out = p;
	if (open_all(p, e) == 0)
		return 0;
	prompt_close(p);
	*out = NULL;
	return -1;
}

void
prompt_close(struct prompter *p)
{
	if (p == NULL)
		return;
	if (p->prompt)
		query_close(p->prompt);
	if (p->system)
		query_close(p->system);
	if (p->request)
		query_close(p->request);
	for (size_t i = 0; i < p->nschemas; i++)
		schema_close(p->schema[i].check);
	for (size_t i = 0; i < SCHEMAS; i++)
		buf_free(&p->schema[i].text);
	buf_free(&p->file);
	buf_free(&p->params);
	buf_free(&p->model);
	free(p);
}

/* ---- what the record says ---- */

struct result {
	struct arena *arena;
	struct slice value; /* the first result, copied */
	size_t n;
};

static void
take_result(struct slice value, void *state)
{
	struct result *r = state;

	if (r->n++ == 0)
		r->value = (struct slice){arena_copy(r->arena, value.ptr, value.len), value.len};
}

/* One value of a program, which must be of that type. */
static int
run_program(struct query *q, const char *option, enum json_type type, struct slice record,
    struct arena *arena, struct slice *out, struct err *e)
{
	struct result r = {.arena = arena};
	struct err why;

	if (query_run(q, record, take_result, &r, &why) < 0)
		return err_set(e, strcmp(why.code, "no_value") == 0 ? "no_prompt" : why.code,
		    "%s: %s", option, why.text);
	if (r.n == 1 && json_type(r.value) == type) {
		*out = r.value;
		return 0;
	}
	return err_set(e, "not_text", "%s: the program gives %s where %s is wanted", option,
	    r.n == 0			      ? "nothing"
	    : r.n > 1			      ? "several values"
	    : json_type(r.value) == JSON_NULL ? "null"
					      : "another value",
	    type == JSON_STRING ? "one string" : "one object");
}

/* The request's members that are not plain parameters; raw, ptr NULL: not there. */
struct members {
	struct slice prompt, system, messages, model, schema;
};

/* 1: taken; 0: a request has no such member; -1 with e. */
static int
take_member(
    struct members *m, struct ask *ask, struct slice name, struct slice value, struct err *e)
{
	struct slice *at = json_is(name, "prompt")     ? &m->prompt
			   : json_is(name, "system")   ? &m->system
			   : json_is(name, "messages") ? &m->messages
			   : json_is(name, "model")    ? &m->model
			   : json_is(name, "schema")   ? &m->schema
						       : NULL;

	if (at == NULL)
		return param_set(ask, name, value, e);
	*at = json_type(value) == JSON_NULL ? (struct slice){NULL, 0} : value;
	return 1;
}

static const char *
next_name(size_t i, const void *state)
{
	static const char *const own[] = {"prompt", "system", "messages", "model", "schema"};
	size_t n = sizeof(own) / sizeof(*own);

	(void)state;
	return i < n ? own[i] : param_name(i - n);
}

/* Of --request: a slip of the finger would be asked for in vain. */
static int
unknown_member(struct slice name, struct err *e)
{
	struct buf word = {0};
	const char *near;

	json_text(name, &word);
	near = opt_nearest(buf_slice(&word).ptr, next_name, NULL);
	err_set(e, "bad_value", "--request: unknown member '%.100s': %s%s%s", buf_slice(&word).ptr,
	    near ? "did you mean '" : "what only the provider knows goes into 'body'",
	    near ? near : "", near ? "'?" : "");
	buf_free(&word);
	return -1;
}

/* strict: of what is no member of a request there may be none. */
static int
take_members(struct members *m, struct ask *ask, struct slice request, bool strict, struct err *e)
{
	struct json_walk w = json_walk(request);
	struct slice name, value;

	while (json_member(&w, &name, &value)) {
		int rc = take_member(m, ask, name, value, e);

		if (rc < 0 || (rc == 0 && strict && unknown_member(name, e) < 0))
			return -1;
	}
	if (m->prompt.ptr && json_type(m->prompt) != JSON_STRING)
		return err_set(e, "not_text", "'prompt' is no string");
	if (m->system.ptr && json_type(m->system) != JSON_STRING)
		return err_set(e, "not_text", "'system' is no string");
	if (m->model.ptr && json_type(m->model) != JSON_STRING)
		return err_set(e, "bad_value", "'model' is no string");
	return 0;
}

/* ---- the turns ---- */

static bool
role_of(struct slice name, enum role *role)
{
	if (json_is(name, "system") || json_is(name, "developer"))
		*role = ROLE_SYSTEM;
	else if (json_is(name, "user"))
		*role = ROLE_USER;
	else if (json_is(name, "assistant") || json_is(name, "model"))
		*role = ROLE_ASSISTANT;
	else
		return false;
	return true;
}

static int
read_turn(struct slice message, struct turn *turn, struct err *e)
{
	struct slice role, content;

	if (json_type(message) != JSON_OBJECT || !json_get(message, "role", &role) ||
	    !json_get(message, "content", &content))
		return err_set(e, "bad_messages", "a message is an object with role and content");
	if (!role_of(role, &turn->role))
		return err_set(e, "bad_messages", "unknown role, %.*s: system, user or assistant",
		    role.len > 40 ? 40 : (int)role.len, role.ptr);
	if (json_type(content) != JSON_STRING && json_type(content) != JSON_ARRAY)
		return err_set(
		    e, "bad_messages", "a message's content is a string, or an array of parts");
	turn->content = content;
	return 0;
}

/* Systems first, as all providers want them; order among the others is kept. */
static int
make_turns(const struct members *m, struct arena *arena, struct ask *ask, struct err *e)
{
	struct json_walk w = json_walk(m->messages.ptr ? m->messages : S("[]"));
	struct turn *turns, one;
	struct slice message;
	size_t n = 2, systems = 0, at = 0;

	if (m->messages.ptr && json_type(m->messages) != JSON_ARRAY)
		return err_set(e, "bad_messages", "'messages' is no array");
	while (json_element(&w, &message)) {
		if (n++ == TURNS)
			return err_set(e, "bad_messages", "more than %d messages", TURNS);
		if (read_turn(message, &one, e) < 0)
			return -1;
		systems += one.role == ROLE_SYSTEM;
	}
	turns = arena_alloc(arena, n * sizeof(*turns));
	systems += m->system.ptr != NULL;
	if (m->system.ptr)
		turns[at++] = (struct turn){ROLE_SYSTEM, m->system};
	n = systems;
	for (w = json_walk(m->messages.ptr ? m->messages : S("[]")); json_element(&w, &message);) {
		read_turn(message, &one, NULL);
		turns[one.role == ROLE_SYSTEM ? at++ : n++] = one;
	}
	if (m->prompt.ptr)
		turns[n++] = (struct turn){ROLE_USER, m->prompt};
	if (n == systems)
		return err_set(e, "no_prompt",
		    "the record has neither 'prompt' nor 'messages': name what to ask by "
		    "--prompt='\"... \\(.text)\"'");
	ask->turns = turns;
	ask->nturns = n;
	return 0;
}

/* ---- whom ---- */

static int
find_endpoint(
    struct prompter *p, struct slice model, struct arena *arena, struct ask *ask, struct err *e)
{
	struct slice name;

	if (model.ptr == NULL) {
		ask->endpoint = endpoint_default(p->endpoints, &ask->model, e);
		return ask->endpoint ? 0 : -1;
	}
	buf_reset(&p->model);
	json_text(model, &p->model);
	ask->endpoint = endpoint_find(p->endpoints, buf_slice(&p->model), false, &name, e);
	if (ask->endpoint == NULL)
		return -1;
	/* The name may lie in a buffer that the next record takes. */
	ask->model = (struct slice){arena_copy(arena, name.ptr, name.len), name.len};
	return 0;
}

int
prompt_ask(
    struct prompter *p, struct slice record, struct arena *arena, struct ask *ask, struct err *e)
{
	struct members m = {0};
	struct slice request = record;

	*ask = p->base;
	if (p->request &&
	    run_program(p->request, "--request", JSON_OBJECT, record, arena, &request, e) < 0)
		return -1;
	if ((p->own || p->request) && take_members(&m, ask, request, p->request != NULL, e) < 0)
		return -1;
	if (p->prompt && m.prompt.ptr == NULL &&
	    run_program(p->prompt, p->settings->prompt_file ? "--prompt-file" : "--prompt",
		JSON_STRING, record, arena, &m.prompt, e) < 0)
		return -1;
	if (p->system && m.system.ptr == NULL &&
	    run_program(p->system, "--system", JSON_STRING, record, arena, &m.system, e) < 0)
		return -1;
	if ((m.schema.ptr && use_schema(p, m.schema, ask, e) < 0) ||
	    make_turns(&m, arena, ask, e) < 0)
		return -1;
	ask->named = m.model.ptr != NULL;
	return find_endpoint(p, m.model, arena, ask, e);
}
