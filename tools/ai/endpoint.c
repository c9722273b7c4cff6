#include "tools/ai/endpoint_part.h"

#include "common/mem.h"
#include "common/secret.h"
#include "tools/ai/keys.h"
#include "tools/ai/local.h"

#include <stdlib.h>

int
endpoints_open(struct endpoints **out, const struct endpoint_settings *settings, struct err *e)
{
	struct endpoints *es = xcalloc(1, sizeof(*es));

	es->settings = settings;
	if (providers_read(&es->table, e) < 0) {
		endpoints_close(es);
		*out = NULL;
		return -1;
	}
	*out = es;
	return 0;
}

static void
endpoint_free(struct endpoint *p)
{
	secret_wipe(&p->wiped);
	free(p->headers);
	free(p->base);
	free(p->path);
	free(p->key_from);
	free(p->command);
	free(p->model);
	free(p);
}

static struct endpoint *
keep(struct endpoints *es, struct endpoint *p, struct err *e)
{
	if (es->n == ENDPOINTS) {
		endpoint_free(p);
		err_set(e, "no_provider", "more than %d providers in one run", ENDPOINTS);
		return NULL;
	}
	es->v[es->n++] = p;
	return p;
}

static struct endpoint *
known(const struct endpoints *es, const char *provider, const char *command)
{
	for (size_t i = 0; i < es->n; i++)
		if (strcmp(es->v[i]->provider, provider) == 0 &&
		    (command == NULL ||
			(es->v[i]->command && strcmp(es->v[i]->command, command) == 0)))
			return es->v[i];
	return NULL;
}

/* ---- providers of the table ---- */

/* Where the user says that a provider is, or NULL; which (may be NULL): what says so. */
static const char *
own_base(const struct provider *p, const struct endpoint_settings *s, bool primary,
    struct slice *which)
{
	if (primary && s->base_url) {
		if (which)
			*which = slice(opt_origin("base-url"));
		return s->base_url;
	}
	return p->base_env.ptr ? providers_env(p->base_env, which) : NULL;
}

/* The base URL: --base-url, the environment's, the table's. NULL with e. */
static char *
base_of(const struct provider *p, const struct endpoint_settings *s, bool primary,
    const struct protocol *protocol, struct err *e)
{
	const char *own = own_base(p, s, primary, NULL);

	if (own)
		return url_base(slice(own), p->name, protocol->name);
	if (p->base.ptr)
		return url_base(p->base, p->name, protocol->name);
	err_set(e, "no_provider", "%s: where is it? --base-url=URL%s%.*s", p->name,
	    p->base_env.ptr ? ", or set " : "", (int)p->base_env.len,
	    p->base_env.ptr ? p->base_env.ptr : "");
	return NULL;
}

/* --api names another protocol of the same provider. */
static const struct protocol *
protocol_of(const struct provider *p, const char *api, struct err *e)
{
	const struct protocol *other;

	if (api == NULL)
		return p->protocol;
	other = protocol_find(strcmp(api, "chat") == 0 ? S("openai") : slice(api));
	if (other == NULL)
		err_set(e, "bad_value",
		    "%s: unknown protocol, '%s': chat, responses, anthropic, gemini, "
		    "interactions, ollama or llamacpp",
		    opt_origin("api"), api);
	return other;
}

/* "ANTHROPIC_API_KEY,ANTHROPIC_AUTH_TOKEN": either would do. */
static int
err_no_key(struct err *e, const struct provider *p)
{
	struct buf names = {0};
	int rc;

	for (size_t i = 0; i < p->keys.len; i++)
		if (p->keys.ptr[i] == ',')
			buf_adds(&names, " or ");
		else
			buf_addc(&names, p->keys.ptr[i]);
	rc = err_set(e, "no_key", "%s: no key: set %s, or --key-file=FILE", p->name, names.ptr);
	buf_free(&names);
	return rc;
}

static int
fill(struct endpoint *made, const struct provider *p, const struct endpoint_settings *s,
    bool primary, struct err *e)
{
	/* --key-file and --key-command are for the provider that the options name. */
	const struct endpoint_settings others = {0}, *keys = primary ? s : &others;
	struct slice which = {"", 0};
	struct buf key = {0}, source = {0};
	struct err why;
	int rc;

	made->provider = p->name;
	made->protocol = protocol_of(p, primary ? s->api : NULL, e);
	if (made->protocol == NULL ||
	    (made->base = base_of(p, s, primary, made->protocol, e)) == NULL)
		return -1;
	made->path = primary && s->path ? xstrdup(s->path) : NULL;
	made->model = p->model.ptr ? xstrndup(p->model.ptr, p->model.len) : NULL;
	/* One for this machine may be asked on another one, but not for money. */
	made->local = p->base.ptr && url_loopback(p->base) && url_near(slice(made->base));
	rc = key_find(keys, p->keys, &key, &source, e);
	if (rc > 0)
		made->key_from = buf_detach(&source);
	/* A server of one's own may want no key. */
	if (rc == 0 && !s->offline && p->keys.ptr && !made->local &&
	    own_base(p, s, primary, NULL) == NULL)
		rc = err_no_key(e, p);
	if (rc >= 0 && (rc = url_check(slice(made->base), key.len > 0, &why)) < 0) {
		own_base(p, s, primary, &which);
		err_set(e, why.code, "%.*s%s%s", (int)which.len, which.ptr, which.len ? ": " : "",
		    why.text);
	}
	if (rc >= 0)
		rc = endpoint_headers(made, p, s, primary, buf_slice(&key), e);
	secret_wipe(&key);
	buf_free(&source);
	return rc;
}

/*
 * Whom the options mean where they name no provider: who listens at --base-url, else the first of
 * the table whose key is set. NULL: a local server, should one answer.
 */
static const struct provider *
unnamed(const struct endpoints *es)
{
	const struct provider *openai = providers_find(&es->table, S("openai"));

	/* A base of one's own is an OpenAI-compatible server. */
	if (es->settings->base_url)
		return openai;
	for (size_t i = 0; i < es->table.n; i++) {
		const struct provider *p = &es->table.v[i];

		/* A key alone does not say where an Azure is, nor which model a router is to use.
		 */
		if (p->keys.ptr && p->model.ptr && providers_env(p->keys, NULL))
			return p;
	}
	return providers_env(S("OPENAI_BASE_URL"), NULL) ? openai : NULL;
}

bool
endpoint_is_program(struct slice model)
{
	return slice_starts(model, "exec:") || slice_starts(model, "llama:");
}

/*
 * Whether the options mean that provider, so that its key and base are theirs. A question of the
 * options alone: that a record names it first must not make it another endpoint.
 */
static bool
is_primary(const struct endpoints *es, const struct provider *p)
{
	struct slice head = slice(es->settings->model);
	const char *slash = head.ptr ? memchr(head.ptr, '/', head.len) : NULL;
	const struct provider *named;

	if (head.ptr && endpoint_is_program(head))
		return false;
	if (slash)
		head.len = (size_t)(slash - head.ptr);
	named = head.ptr ? providers_find(&es->table, head) : NULL;
	return p == (named ? named : unnamed(es));
}

struct endpoint *
endpoint_of(struct endpoints *es, const struct provider *p, struct err *e)
{
	struct endpoint *made = known(es, p->name, NULL);

	if (made)
		return made;
	made = xcalloc(1, sizeof(*made));
	if (fill(made, p, es->settings, is_primary(es, p), e) < 0) {
		endpoint_free(made);
		return NULL;
	}
	return keep(es, made, e);
}

/* ---- programs of this machine ---- */

static struct endpoint *
make_exec(struct endpoints *es, const char *command, struct err *e)
{
	struct endpoint *made = known(es, "exec", command);

	if (made)
		return made;
	if (*command == '\0') {
		err_set(e, "bad_value", "exec: without a command");
		return NULL;
	}
	made = xcalloc(1, sizeof(*made));
	*made = (struct endpoint){.provider = "exec",
	    .command = xstrdup(command),
	    .model = xstrndup(command, strcspn(command, " \t")),
	    .local = true};
	return keep(es, made, e);
}

static struct endpoint *
make_llama(struct endpoints *es, const char *file, struct err *e)
{
	struct endpoint *made = known(es, "llama", file);
	const struct provider shape = {.protocol = protocol_find(S("llamacpp"))};
	const char *slash = strrchr(file, '/');

	if (made)
		return made;
	made = xcalloc(1, sizeof(*made));
	*made = (struct endpoint){.provider = "llama",
	    .protocol = shape.protocol,
	    .local = true,
	    .command = xstrdup(file),
	    .model = xstrdup(slash ? slash + 1 : file)};
	if (es->nservers == SERVERS) {
		err_set(e, "cannot_start", "more than %d models of files in one run", SERVERS);
	} else if (local_start(&es->server[es->nservers], file, &made->base, e) == 0) {
		es->nservers++;
		if (endpoint_headers(made, &shape, es->settings, false, (struct slice){"", 0}, e) ==
		    0)
			return keep(es, made, e);
	}
	endpoint_free(made);
	return NULL;
}

static struct endpoint *
find_program(
    struct endpoints *es, struct slice model, bool trusted, struct slice *name, struct err *e)
{
	bool exec = slice_starts(model, "exec:");
	char *what = xstrndup(model.ptr + (exec ? 5 : 6), model.len - (exec ? 5 : 6));
	struct endpoint *p = NULL;

	if (!trusted)
		err_set(e, "not_trusted", "a record cannot name a program to run, '%.*s'",
		    (int)model.len, model.ptr);
	else
		p = exec ? make_exec(es, what, e) : make_llama(es, what, e);
	if (p)
		*name = slice(p->model);
	free(what);
	return p;
}

/* ---- by name ---- */

static struct endpoint *
with_model(struct endpoint *p, struct slice given, struct slice *name, struct err *e)
{
	if (p && given.len)
		*name = given;
	else if (p && p->model)
		*name = slice(p->model);
	else if (p) {
		err_set(e, "no_model",
		    "%s: which model? --model=%s/NAME; kandil-ai --models lists them", p->provider,
		    p->provider);
		return NULL;
	}
	return p;
}

/*
 * Whether whoever answers may have models with a slash in their names. Those that
 * we know by a model of their own have none: what is no provider there is a slip
 * of the finger, and what was meant for one must not reach another.
 */
static bool
takes_slashes(const struct endpoints *es, const struct endpoint *made)
{
	const struct provider *p = providers_find(&es->table, slice(made->provider));

	return made->local || p == NULL || p->model.ptr == NULL ||
	    own_base(p, es->settings, is_primary(es, p), NULL) != NULL;
}

struct endpoint *
endpoint_find(
    struct endpoints *es, struct slice model, bool trusted, struct slice *name, struct err *e)
{
	const char *slash = memchr(model.ptr, '/', model.len);
	struct slice head = {model.ptr, slash ? (size_t)(slash - model.ptr) : model.len};
	struct slice rest = {"", 0}, ignored;
	const struct provider *p = providers_find(&es->table, head);
	struct endpoint *made;
	const char *near;
	bool said;

	if (endpoint_is_program(model))
		return find_program(es, model, trusted, name, e);
	if (slash)
		rest = (struct slice){slash + 1, model.len - head.len - 1};
	if (p)
		return with_model(endpoint_of(es, p, e), rest, name, e);
	/*
	 * What was meant for one provider must not reach another by a slip of the finger. Where
	 * the options say who is asked, it is a name of theirs: mistralai/x of a router.
	 */
	said = es->settings->base_url || (es->settings->model && !trusted);
	near = slash && !said ? providers_nearest(&es->table, head) : NULL;
	if (near) {
		err_set(e, "no_provider", "unknown provider '%.*s': did you mean '%s'?",
		    (int)head.len, head.ptr, near);
		return NULL;
	}
	/* A name without a provider, as Ollama and OpenRouter have them: whoever is configured. */
	made = es->settings->model && !trusted ? endpoint_default(es, &ignored, e)
					       : endpoint_auto(es, &ignored, e);
	if (slash == NULL || (made ? takes_slashes(es, made) : strcmp(e->code, "no_model") != 0))
		return with_model(made, model, name, e);
	err_set(e, "no_provider", "unknown provider '%.*s': see kandil-ai --models", (int)head.len,
	    head.ptr);
	return NULL;
}

struct endpoint *
endpoint_default(struct endpoints *es, struct slice *name, struct err *e)
{
	const char *model = es->settings->model;

	if (model == NULL || *model == '\0' || strcmp(model, "auto") == 0)
		return endpoint_auto(es, name, e);
	return endpoint_find(es, slice(model), true, name, e);
}

static struct endpoint *
find_local(struct endpoints *es, const char *provider, struct slice *name, struct err *e)
{
	const struct provider *p = providers_find(&es->table, slice(provider));
	struct endpoint *made = p && !es->settings->offline ? endpoint_of(es, p, e) : NULL;

	if (made == NULL)
		return NULL;
	if (made->model == NULL)
		made->model = local_model(made->base, strcmp(provider, "ollama") == 0);
	if (made->model == NULL)
		return NULL;
	*name = slice(made->model);
	return made;
}

/* Who listens at --base-url has models of its own: the first that it lists. */
static struct endpoint *
with_own(struct endpoint *p, const struct endpoint_settings *s, struct slice *name, struct err *e)
{
	struct err why = {.code = "no_model"};
	size_t n = 0;

	if (p == NULL)
		return NULL;
	if (!p->listed && !s->offline) {
		char *first = models_first(p, &n, &why);

		if (first) {
			free(p->model);
			p->model = first;
			p->listed = true;
			note("%s: the model is '%s'%s; --model=NAME takes another",
			    opt_origin("base-url"), first,
			    n > 1 ? ", the first that is listed" : "");
		}
	}
	if (!p->listed && strcmp(why.code, "no_model") == 0) {
		err_set(e, "no_model", "%s: which model? --model=NAME%s", opt_origin("base-url"),
		    s->offline ? "" : ": the server lists none");
		return NULL;
	}
	if (!p->listed) {
		bool key = p->key_from && strcmp(why.code, "authentication") == 0;

		err_set(e, why.code, "%s: which models are there? %s%s%s", opt_origin("base-url"),
		    why.text, key ? ": the key is from " : "", key ? p->key_from : "");
		return NULL;
	}
	*name = slice(p->model);
	return p;
}

struct endpoint *
endpoint_auto(struct endpoints *es, struct slice *name, struct err *e)
{
	const struct provider *p = unnamed(es);
	struct endpoint *made;

	if (p && es->settings->base_url && es->settings->model == NULL)
		return with_own(endpoint_of(es, p, e), es->settings, name, e);
	if (p)
		return with_model(endpoint_of(es, p, e), (struct slice){"", 0}, name, e);
	if ((made = find_local(es, "ollama", name, e)) ||
	    (made = find_local(es, "llamacpp", name, e)))
		return made;
	err_set(e, "no_model",
	    "no model is configured: start Ollama or llama-server, for a local one, or\n"
	    "--model=llama:FILE.gguf; for a hosted one set ANTHROPIC_API_KEY, OPENAI_API_KEY\n"
	    "or GEMINI_API_KEY, or --model=PROVIDER/NAME: kandil-ai --models lists them");
	return NULL;
}

void
endpoint_url(const struct endpoint *p, const struct ask *ask, struct buf *out)
{
	buf_adds(out, p->base);
	if (p->path == NULL) {
		p->protocol->path(ask, out);
		return;
	}
	if (p->path[0] != '/')
		buf_addc(out, '/');
	buf_adds(out, p->path);
}

size_t
endpoints_fds(const struct endpoints *es, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < es->nservers; i++)
		if (es->server[i].err >= 0)
			fds[n++] = (struct pollfd){es->server[i].err, POLLIN, 0};
	return n;
}

void
endpoints_turn(struct endpoints *es)
{
	struct slice nothing = {"", 0};
	struct buf out = {0}, words = {0};

	for (size_t i = 0; i < es->nservers; i++) {
		spawn_pump(&es->server[i], &nothing, false, &out, &words, SERVER_WORDS, 0);
		buf_reset(&words);
	}
	buf_free(&out);
	buf_free(&words);
}

void
endpoints_close(struct endpoints *es)
{
	if (es == NULL)
		return;
	for (size_t i = 0; i < es->n; i++)
		endpoint_free(es->v[i]);
	for (size_t i = 0; i < es->nservers; i++)
		spawn_end(&es->server[i], 0);
	providers_free(&es->table);
	free(es);
}
