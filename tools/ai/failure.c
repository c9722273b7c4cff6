/*
 * What to do about a request that gave no reply.
 *
 * The error's code decides where there is one, the status where there is
 * none, and never the message: compatible servers word a limit of the minute
 * "insufficient quota". One exception: which option a 400 refuses is looked
 * for in the message, since only OpenAI names it apart; the worst of
 * a wrong guess is one more request, told to the user.
 */
#include "common/secret.h"
#include "tools/ai/endpoint.h"
#include "tools/ai/trouble.h"
#include "tools/ai/wire.h"

#include <stdio.h>

/* No waiting helps against these: OpenAI's, then Anthropic's. */
static const char *const out_of_money[] = {"credit_balance_exhausted",
    "organization_spend_limit_exceeded", "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded", "insufficient_quota", "usage_limit_exceeded",
    "billing_not_active", "billing_hard_limit_reached", "enforced_spend_limit_reached",
    "contract_spend_limit_reached", "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable", "billing_error", NULL};
static const char *const too_fast[] = {"slow_down", "ramp_limit_exceeded", NULL};
static const char *const too_much[] = {"server_is_overloaded", "server_overloaded",
    "overloaded_error", "flex_unavailable", NULL};
static const char *const too_long[] = {"context_length_exceeded", "exceed_context_size_error",
    "request_too_large", "string_above_max_length", NULL};
static const char *const filtered[] = {"content_filter", "content_policy_violation", "bio_policy",
    "cyber_policy", "image_content_policy_violation", NULL};
static const char *const unknown_model[] = {"model_not_found", NULL};

/* What a code means where no status came with it: inside a reply or a stream. */
static const struct {
	const char *code;
	int status;
} statuses[] = {
    {"rate_limit_exceeded", 429},
    {"rate_limit_error", 429},
    {"RESOURCE_EXHAUSTED", 429},
    {"slow_down", 503},
    {"server_is_overloaded", 503},
    {"server_overloaded", 503},
    {"UNAVAILABLE", 503},
    {"overloaded_error", 529},
    {"timeout_error", 504},
    {"request_timeout", 408},
    {"DEADLINE_EXCEEDED", 504},
    {"conflict_error", 409},
    {"authentication_error", 401},
    {"UNAUTHENTICATED", 401},
    {"invalid_api_key", 401},
    {"billing_error", 402},
    {"permission_error", 403},
    {"PERMISSION_DENIED", 403},
    {"not_found_error", 404},
    {"model_not_found", 404},
    {"NOT_FOUND", 404},
    {"request_too_large", 413},
    {"invalid_request_error", 400},
    {"invalid_request", 400},
    {"INVALID_ARGUMENT", 400},
    {"exceed_context_size_error", 400},
    {"context_length_exceeded", 400},
    {"invalid_prompt", 400},
    {"data_residency_mismatch", 400},
};

/* The names under which a message may speak of an option. */
static const struct {
	unsigned lack;
	const char *names[10];
} options[] = {
    {LACK_MAX_COMPLETION, {"max_completion_tokens"}},
    {LACK_MAX_TOKENS, {"max_tokens"}},
    {LACK_STREAM_USAGE, {"stream_options", "include_usage"}},
    {LACK_TOP_K, {"top_k", "topK"}},
    {LACK_SAMPLING, {"temperature", "top_p", "topP"}},
    {LACK_SEED, {"seed"}},
    {LACK_EFFORT, {"reasoning_effort", "reasoning", "effort", "thinking", "think", "thinkingLevel",
		      "thinking_level", "thinkingConfig", "thinking_config"}},
};
static const char *const schema_names[] = {"response_format", "json_schema", "json_object",
    "schema", "response_schema", "responseJsonSchema", "response_json_schema", "responseMimeType",
    "output_config", "output_format", "grammar", "JSON mode", "text.format", NULL};
static const char *const refusals[] = {"unsupported", "not supported", "not support",
    "doesn't support", "don't support", "unavailable", "not available", "unrecognized", "unknown",
    "not permitted", "not allowed", "unexpected", "deprecated", "not enabled", "no longer", NULL};
static const char *const refusal_codes[] = {"unsupported_parameter", "unsupported_value",
    "unknown_parameter", "unrecognized_request_argument", NULL};

static const unsigned schema_lacks = LACK_SCHEMA | LACK_STRICT | LACK_JSON_SCHEMA;

/* Which of what the request had, and could go without, the server refuses; 0: none. */
static unsigned
refused_option(const struct trouble *t, unsigned can)
{
	struct slice words = buf_slice(&t->words), where = words;
	bool plain;

	if (trouble_is(t, too_long) || trouble_is(t, filtered))
		return 0;
	/* OpenAI's param says which member; then the message does not. */
	if (wire_given(t->param) && t->param.len > 2)
		where = t->param;
	if ((can & schema_lacks) && words_hold(where, schema_names))
		return can & schema_lacks;
	plain = trouble_is(t, refusal_codes) || words_hold(words, refusals);
	for (size_t i = 0; plain && i < sizeof(options) / sizeof(*options); i++)
		if ((can & options[i].lack) && words_hold(where, options[i].names))
			return options[i].lack;
	return 0;
}

/* A header's value never leaves here, should a server echo it. */
static void
hide_keys(const struct endpoint *p, struct buf *text)
{
	for (size_t i = 0; p && i < p->nheaders; i++) {
		struct slice line = p->headers[i], v;
		struct header h;

		if (!header_next(&line, &h) || header_is(&h, "content-type") ||
		    header_is(&h, "anthropic-version"))
			continue;
		v = h.value;
		if (slice_starts(v, "Bearer "))
			v = slice_trim((struct slice){v.ptr + 7, v.len - 7});
		secret_hide(text, v);
	}
}

void
failure_hide(const struct endpoint *p, struct failure *f)
{
	struct buf text = {0};
	size_t n;

	buf_adds(&text, f->text);
	hide_keys(p, &text);
	n = text.len < sizeof(f->text) ? text.len : utf8_valid(text.ptr, sizeof(f->text) - 1);
	memcpy(f->text, buf_slice(&text).ptr, n);
	f->text[n] = '\0';
	buf_free(&text);
}

/* Where a redirection leads; a key must not follow it. */
static void
add_location(int status, struct slice headers, struct buf *out)
{
	struct header h;

	buf_addf(out, "the server redirects (HTTP %d)", status);
	while (header_next(&headers, &h))
		if (header_is(&h, "location")) {
			buf_adds(out, " to '");
			buf_add_visible(out, h.value);
			buf_adds(out, "': set the base URL to where the API is");
			break;
		}
}

/* One line: white space of any length is one blank. */
static void
add_line(struct slice text, struct buf *out)
{
	struct buf line = {0};

	text = slice_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';

		if (!blank)
			buf_addc(&line, c);
		else if (line.ptr[line.len - 1] != ' ')
			buf_addc(&line, ' ');
	}
	buf_add_visible(out, buf_slice(&line));
	buf_free(&line);
}

/* Which key it was that is refused: of where it was found, a few may be looked at in vain. */
static void
add_key(const struct endpoint *p, size_t most, struct buf *out)
{
	struct buf from = {0};

	if (p->key_from == NULL)
		return;
	while (out->len && (out->ptr[out->len - 1] == '.' || out->ptr[out->len - 1] == ' '))
		buf_cut(out, out->len - 1);
	buf_addf(&from, ": the key is from ");
	buf_add_visible(&from, slice(p->key_from));
	/* What the provider says gives way. */
	if (from.len < most / 2) {
		if (out->len + from.len >= most)
			buf_cut(out, utf8_valid(out->ptr, most - 1 - from.len));
		buf_addslice(out, buf_slice(&from));
	}
	buf_free(&from);
}

static void
set_text(struct failure *f, const struct ask *a, struct trouble *t, int status,
    struct slice headers)
{
	struct buf seen = {0};
	size_t n;

	hide_keys(a ? a->endpoint : NULL, &t->words);
	if (status >= 300 && status < 400)
		add_location(status, headers, &seen);
	else
		add_line(buf_slice(&t->words), &seen);
	if (seen.len == 0 && status)
		buf_addf(&seen, "HTTP %d without a message", status);
	else if (seen.len == 0)
		buf_adds(&seen, "an error without a message");
	if (a && a->endpoint && f->code && strcmp(f->code, "authentication") == 0)
		add_key(a->endpoint, sizeof(f->text), &seen);
	n = seen.len < sizeof(f->text) ? seen.len : utf8_valid(seen.ptr, sizeof(f->text) - 1);
	memcpy(f->text, seen.ptr, n);
	f->text[n] = 0;
	buf_free(&seen);
}

static void
set(struct failure *f, enum action action, const char *code)
{
	f->action = action;
	f->code = code;
}

/* By the status, when no code said more. */
static void
by_status(int status, const struct trouble *t, struct failure *f)
{
	if (status == 401)
		set(f, ACTION_STOP, "authentication");
	else if (status == 402)
		set(f, ACTION_STOP, "quota");
	else if (status == 403)
		set(f, ACTION_STOP, "permission");
	else if (status == 404)
		/* Without an error of the API's own it is the address that is wrong. */
		set(f, ACTION_FAIL, t->object ? "no_model" : "bad_request");
	else if (status == 413)
		set(f, ACTION_FAIL, "too_large");
	else if (status == 429)
		set(f, ACTION_RETRY, "rate_limited");
	else if (status == 408 || status == 504)
		set(f, ACTION_RETRY, "timeout");
	else if (status == 503 || status == 529)
		set(f, ACTION_RETRY, "overloaded");
	else if (status == 409 || status >= 500)
		set(f, ACTION_RETRY, "server_error");
	else
		set(f, ACTION_FAIL, "bad_request");
}

/* By the code; false where it says nothing that the status does not. */
static bool
by_code(int status, const struct trouble *t, struct failure *f)
{
	if (trouble_is(t, out_of_money) || trouble_daily(t))
		set(f, ACTION_STOP, "quota");
	else if (trouble_reason(t, "API_KEY_INVALID")) /* Gemini's status for it is 400 */
		set(f, ACTION_STOP, "authentication");
	else if (trouble_is(t, filtered) ||
	    (status == 403 && t->metadata.ptr && wire_member(t->metadata, "flagged_input").ptr))
		set(f, ACTION_FAIL, "refused"); /* a router's moderation: this record alone */
	else if (trouble_is(t, unknown_model))
		set(f, ACTION_FAIL, "no_model");
	else if (trouble_is(t, too_long) && status < 500)
		set(f, ACTION_FAIL, "too_large");
	else
		return false;
	return true;
}

/* A limit that is used up says when it is there again. */
static long
reset_wait(struct slice headers)
{
	struct limits limits;
	long most = 0;

	header_limits(headers, &limits);
	const struct rate *rates[] = {&limits.requests, &limits.tokens, &limits.input,
	    &limits.output};
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
		if (rates[i]->remaining == 0 && rates[i]->reset_ms > most)
			most = (long)rates[i]->reset_ms;
	return most;
}

static void
classify(int status, struct slice headers, const struct trouble *t, unsigned can,
    struct failure *f)
{
	int retry = header_retry(headers);
	long wait;

	if (!by_code(status, t, f))
		by_status(status, t, f);
	f->slow_down = trouble_is(t, too_fast);
	if (f->action == ACTION_RETRY && trouble_is(t, too_much))
		f->code = "overloaded";
	if (retry == 1 && strcmp(f->code, "quota") != 0)
		f->action = ACTION_RETRY;
	else if ((status == 400 || status == 422) && f->action == ACTION_FAIL &&
	    (f->lack = refused_option(t, can)))
		f->action = ACTION_FALLBACK;
	else if (retry == 0 && f->action == ACTION_RETRY)
		f->action = ACTION_FAIL;
	if (f->action != ACTION_RETRY)
		return;
	f->wait_ms = header_wait(headers);
	wait = trouble_wait(t);
	if (f->wait_ms == 0 && wait == 0 && status == 429)
		wait = reset_wait(headers);
	if (wait > f->wait_ms)
		f->wait_ms = wait;
}

/* The status that an error without one would have come with; unknown: what is told. */
static int
implied_status(const struct trouble *t, int unknown)
{
	int status = trouble_status(t);

	for (size_t i = 0; status == 0 && i < sizeof(statuses) / sizeof(*statuses); i++) {
		const char *const word[] = {statuses[i].code, NULL};

		if (trouble_is(t, word))
			status = statuses[i].status;
	}
	return status ? status : unknown;
}

void
failure_of(int status, struct slice headers, struct slice body, const struct ask *a, unsigned can,
    struct failure *f)
{
	struct trouble t = {0};

	*f = (struct failure){0};
	trouble_read(body, &t);
	if (status >= 200 && status < 300) {
		if (t.object)
			classify(implied_status(&t, 500), headers, &t, 0, f);
		else
			set(f, ACTION_RETRY, "bad_reply");
	} else {
		classify(status, headers, &t, can, f);
	}
	set_text(f, a, &t, status, headers);
	trouble_free(&t);
}

int
failure_inside(struct slice object, struct failure *f)
{
	static const struct slice none = {"", 0};
	struct trouble t = {0};

	*f = (struct failure){0};
	trouble_read(object, &t);
	classify(implied_status(&t, 500), none, &t, 0, f);
	set_text(f, NULL, &t, 0, none);
	trouble_free(&t);
	return -1;
}

int
failure_garbled(struct failure *f, const char *why)
{
	*f = (struct failure){.action = ACTION_RETRY, .code = "bad_reply"};
	snprintf(f->text, sizeof(f->text), "%s", why);
	return -1;
}

int
reply_refused(struct err *e, struct slice body, const char *expected)
{
	struct trouble t = {0};
	struct failure f = {0};

	trouble_read(body, &t);
	if (t.object) {
		set_text(&f, NULL, &t, 0, S(""));
		err_set(e, "bad_reply", "the server says with status 200: %s", f.text);
	} else {
		err_set(e, "bad_reply", "the reply is %s", expected);
	}
	trouble_free(&t);
	return -1;
}
