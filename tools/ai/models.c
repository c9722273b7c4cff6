/*
 * --models: who is configured, who answers, and which models they have.
 *
 * All are asked at the same time. A record for each model of a provider that
 * answers; one without a model, and a hint, for each of the others. On a terminal
 * a line for each: first the models, as --model takes them, then the hints.
 */
#include "common/http.h"
#include "common/mem.h"
#include "common/progress.h"
#include "common/record.h"
#include "tools/ai/endpoint_part.h"
#include "tools/ai/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ASK_MS = 5000, LOCAL_MS = 500, LIST_SIZE = 16 << 20 };

/* One provider of the table while it is asked. */
struct listing {
	const struct provider *provider;
	struct endpoint *endpoint; /* NULL: hint says what is missing */
	char hint[400];
	struct buf models; /* names, a line each */
	bool done, reachable;
};

static const char *
list_path(const char *protocol)
{
	if (strcmp(protocol, "ollama") == 0)
		return "/api/tags";
	if (strcmp(protocol, "anthropic") == 0)
		return "/v1/models?limit=1000";
	if (strcmp(protocol, "gemini") == 0 || strcmp(protocol, "interactions") == 0)
		return "/v1beta/models?pageSize=1000";
	return strcmp(protocol, "llamacpp") == 0 ? "/v1/models" : "/models";
}

/* Gemini lists models that cannot be asked (embeddings), and names them models/x. */
static bool
read_name(struct slice model, struct buf *name)
{
	struct slice methods, one;
	struct json_walk w;
	bool asks = true;

	if (json_get(model, "supportedGenerationMethods", &methods)) {
		asks = false;
		for (w = json_walk(methods); json_element(&w, &one);)
			asks |= json_is(one, "generateContent");
	}
	if (!asks || (!json_get_text(model, "id", name) && !json_get_text(model, "name", name)))
		return false;
	if (slice_starts(buf_slice(name), "models/"))
		buf_splice(name, 0, strlen("models/"), (struct slice){"", 0});
	return name->len && memchr(name->ptr, '\n', name->len) == NULL;
}

static void
read_list(struct listing *l, struct slice body)
{
	struct slice list, model;
	struct buf name = {0};
	struct json_walk w;

	if (!json_get(body, "data", &list) && !json_get(body, "models", &list))
		return;
	for (w = json_walk(list); json_element(&w, &model);)
		if (json_type(model) == JSON_OBJECT && read_name(model, &name)) {
			buf_addslice(&l->models, buf_slice(&name));
			buf_addc(&l->models, '\n');
		}
	buf_free(&name);
}

static void
take_list(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct listing *l = state;

	(void)call;
	l->done = true;
	if (reply->fault != HTTP_DONE)
		snprintf(l->hint, sizeof(l->hint), "%s", reply->text);
	else if (reply->status == 404 || reply->status == 405) {
		l->reachable = true;
		snprintf(l->hint, sizeof(l->hint), "it lists no models: --model=%s/NAME", l->provider->name);
	} else if (reply->status / 100 != 2)
		snprintf(l->hint, sizeof(l->hint), "it answers with status %d%s", reply->status,
		    reply->status == 401 || reply->status == 403 ? ": is the key right?" : "");
	else if (json_check(reply->body, NULL) < 0)
		snprintf(l->hint, sizeof(l->hint), "what it answers is not JSON");
	else {
		l->reachable = true;
		read_list(l, reply->body);
	}
}

static void
ask_list(struct listing *l, struct http *http)
{
	struct buf url = {0};
	struct err e;
	struct http_request request = {.method = "GET",
	    .headers = l->endpoint->headers,
	    .nheaders = l->endpoint->nheaders,
	    .max_reply = LIST_SIZE,
	    .total_ms = l->endpoint->local ? LOCAL_MS : ASK_MS,
	    .done = take_list,
	    .state = l};

	buf_adds(&url, l->endpoint->base);
	buf_adds(&url, list_path(l->endpoint->protocol->name));
	request.url = url.ptr;
	if (http_start(http, &request, &e) == NULL) {
		l->done = true;
		snprintf(l->hint, sizeof(l->hint), "%s", e.text);
	}
	buf_free(&url);
}

char *
models_first(const struct endpoint *p, size_t *n, struct err *e)
{
	struct listing l = {0};
	struct buf url = {0}, body = {0};
	struct slice rest, line;
	char *first = NULL;

	*n = 0;
	err_set(e, "no_model", "the server lists none");
	buf_adds(&url, p->base);
	buf_adds(&url, list_path(p->protocol->name));
	if (fetch_json(url.ptr, p->headers, p->nheaders, p->local ? LOCAL_MS : ASK_MS, &body, e))
		read_list(&l, buf_slice(&body));
	rest = buf_slice(&l.models);
	while (slice_line(&rest, &line))
		if ((*n)++ == 0)
			first = xstrndup(line.ptr, line.len);
	buf_free(&url);
	buf_free(&body);
	buf_free(&l.models);
	return first;
}

static bool
is_default(const struct listing *l, struct slice name)
{
	return l->endpoint->model && slice_is(name, l->endpoint->model);
}

static void
show_models(const struct listing *l, struct run *run)
{
	struct slice rest = buf_slice(&l->models), name;
	struct buf out = {0};

	while (slice_line(&rest, &name)) {
		buf_reset(&out);
		buf_addf(&out, "%s/", l->provider->name);
		buf_add_visible(&out, name);
		buf_adds(&out, is_default(l, name) ? " (default)" : "");
		record_emit(run, buf_slice(&out));
	}
	buf_free(&out);
}

static void
show_hint(const struct listing *l, struct run *run)
{
	struct buf said = {0}, visible = {0}, out = {0};

	if (!l->hint[0] && l->models.len)
		return;
	buf_addf(&said, "%s: ", l->provider->name);
	/* What endpoint_of says names the provider. */
	if (slice_starts(slice(l->hint), said.ptr))
		buf_reset(&said);
	buf_adds(&said, l->hint[0] ? l->hint : "it has no models");
	buf_add_visible(&visible, buf_slice(&said));
	buf_add_wrapped(&out, buf_slice(&visible), 0, 4, progress_columns(STDOUT_FILENO) - 1);
	record_emit(run, buf_slice(&out));
	buf_free(&said);
	buf_free(&visible);
	buf_free(&out);
}

static void
emit(const struct listing *l, struct run *run)
{
	struct slice rest = buf_slice(&l->models), name;
	struct buf out = {0};
	bool any = rest.len > 0;

	while (any ? slice_line(&rest, &name) : !any) {
		buf_reset(&out);
		json_open(&out, '{');
		json_add(&out, "kind", S("model"));
		json_add(&out, "provider", slice(l->provider->name));
		if (any)
			json_add(&out, "model", name);
		json_name(&out, "configured");
		json_put_bool(&out, l->endpoint != NULL);
		json_name(&out, "reachable");
		json_put_bool(&out, l->reachable);
		if (any && is_default(l, name)) {
			json_name(&out, "default");
			json_put_bool(&out, true);
		}
		if (l->hint[0])
			json_add(&out, "hint", slice(l->hint));
		json_close(&out, '}');
		record_emit(run, buf_slice(&out));
		if (!any)
			break;
	}
	buf_free(&out);
}

void
endpoints_list(struct endpoints *es, struct run *run, bool shown)
{
	struct http_settings settings = {.connect_ms = ASK_MS};
	struct listing *all = xcalloc(es->table.n, sizeof(*all));
	struct err e;
	struct http *http = http_open(&settings, &e);
	size_t waiting = 0, reachable = 0;

	if (http == NULL)
		die(STATUS_FAILED, "%s", e.text);
	for (size_t i = 0; i < es->table.n; i++) {
		all[i].provider = &es->table.v[i];
		all[i].endpoint = endpoint_of(es, all[i].provider, &e);
		if (all[i].endpoint)
			ask_list(&all[i], http);
		else
			snprintf(all[i].hint, sizeof(all[i].hint), "%s", e.text);
	}
	do {
		waiting = 0;
		for (size_t i = 0; i < es->table.n; i++)
			waiting += all[i].endpoint && !all[i].done;
	} while (waiting && !run_interrupted() && http_wait(http, ASK_MS, NULL, 0) >= 0);
	for (size_t i = 0; i < es->table.n; i++) {
		reachable += all[i].reachable;
		(shown ? show_models : emit)(&all[i], run);
	}
	for (size_t i = 0; i < es->table.n; i++) {
		if (shown)
			show_hint(&all[i], run);
		buf_free(&all[i].models);
	}
	if (reachable == 0)
		run_status(run, STATUS_PARTIAL);
	http_close(http);
	free(all);
}
