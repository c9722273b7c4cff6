#include "tools/ai/batch.h"
#include "tools/ai/engine.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT(member) offsetof(struct settings, member)

#define APIS "auto|chat|responses|anthropic|gemini|interactions|ollama|llamacpp"

static const struct opt options[] = {
    /* what is asked */
    {"prompt", 'p', OPT_TEXT, "PROGRAM",
	"a jq program over the record that gives the prompt: '\"Classify: \\(.text)\"'", 0, NULL,
	AT(prompt)},
    {"prompt-file", 0, OPT_TEXT, "FILE", "the same in a file", 0, NULL, AT(prompt_file)},
    {"system", 's', OPT_TEXT, "PROGRAM", "likewise, what the model is told beforehand", 0, NULL,
	AT(system)},
    {"request", 0, OPT_TEXT, "PROGRAM",
	"a jq program that gives an object: prompt, system, messages, model, schema, body, ...", 0,
	NULL, AT(request)},
    {"schema", 0, OPT_TEXT, "FILE|JSON", "a JSON Schema that the reply must fit", 0, NULL,
	AT(schema)},
    {"repairs", 0, OPT_NUMBER, "N", "how often a reply that does not fit is asked for again",
	OPT_PROJECT, "2", AT(repairs)},
    {"kind", 0, OPT_LIST, "KINDS", "ask about records of these kinds, pass all others", OPT_PROJECT,
	NULL, AT(kind)},
    {"into", 0, OPT_TEXT, "MEMBER", "where the answer goes", OPT_PROJECT, "ai", AT(into)},
    {"force", 'f', OPT_FLAG, NULL, "ask although there is an answer, or another's member", 0, NULL,
	AT(force)},
    {"max-tokens", 0, OPT_TEXT, "N", "the longest reply", OPT_PROJECT, NULL, AT(max_tokens)},
    {"temperature", 0, OPT_TEXT, "T", "as the provider has it", OPT_PROJECT, NULL, AT(temperature)},
    {"top-p", 0, OPT_TEXT, "P", "as the provider has it", OPT_PROJECT, NULL, AT(top_p)},
    {"top-k", 0, OPT_TEXT, "K", "as the provider has it", OPT_PROJECT, NULL, AT(top_k)},
    {"seed", 0, OPT_TEXT, "N", "as the provider has it", OPT_PROJECT, NULL, AT(seed)},
    {"effort", 0, OPT_TEXT, "WORD", "how much to reason: low, medium, high, ...", OPT_PROJECT, NULL,
	AT(effort)},
    {"stop", 0, OPT_WORDS, "TEXT", "where the reply ends", OPT_PROJECT, NULL, AT(stop)},
    {"body", 0, OPT_TEXT, "JSON", "an object whose members go into the request as they are", 0,
	NULL, AT(body)},
    /* whom */
    {"model", 'm', OPT_TEXT, "MODEL",
	"provider/name, exec:COMMAND or llama:FILE.gguf; else by the key that is set", 0, NULL,
	AT(model)},
    {"models", 0, OPT_FLAG, NULL, "list the models that are configured and reachable", 0, NULL,
	AT(models)},
    {"base-url", 0, OPT_TEXT, "URL", "where the provider is", 0, NULL, AT(base_url)},
    {"path", 0, OPT_TEXT, "PATH", "the path behind it", 0, NULL, AT(path)},
    {"api", 0, OPT_CHOICE, APIS, "how the provider is spoken to", 0, "auto",
	AT(api_choice)},
    {"api-version", 0, OPT_TEXT, "DATE", "of Anthropic's API", 0, NULL, AT(api_version)},
    {"key-file", 0, OPT_TEXT, "FILE", "a file that holds the key", 0, NULL, AT(key_file)},
    {"key-command", 0, OPT_TEXT, "COMMAND", "a program that prints the key", 0, NULL,
	AT(key_command)},
    {"header", 'H', OPT_WORDS, "NAME: VALUE", "a further header, or @FILE of them", 0, NULL,
	AT(header)},
    /* how fast */
    {"jobs", 'j', OPT_NUMBER, "N", "requests in flight at most", 0, "64", AT(jobs)},
    {"window", 0, OPT_NUMBER, "N", "records in hand at most; 0: 16 a job", 0, "0", AT(window)},
    {"unordered", 'u', OPT_FLAG, NULL, "write records as they are done", 0, NULL, AT(unordered)},
    {"rpm", 0, OPT_NUMBER, "N", "requests a minute; 0: what the provider says", 0, "0", AT(rpm)},
    {"tpm", 0, OPT_NUMBER, "N", "tokens a minute, of input alone with --output-tpm", 0, "0",
	AT(tpm)},
    {"output-tpm", 0, OPT_NUMBER, "N", "tokens of output a minute", 0, "0", AT(output_tpm)},
    {"retries", 0, OPT_NUMBER, "N", "how often a request that failed is sent again", 0, "5",
	AT(retries)},
    {"timeout", 0, OPT_REAL, "SECONDS", "the longest time without a byte", 0, "300", AT(timeout)},
    /* what is kept */
    {"cache", 0, OPT_TEXT, "DIR", "where replies are kept", 0, NULL, AT(cache)},
    {"cache-size", 0, OPT_SIZE, "BYTES", "how much of them", 0, "1G", AT(cache_size)},
    {"no-cache", 0, OPT_FLAG, NULL, "keep none and look for none", 0, NULL, AT(no_cache)},
    {"cassette", 0, OPT_TEXT, "DIR", "record requests and replies there, and replay them", 0, NULL,
	AT(cassette)},
    {"replay", 0, OPT_FLAG, NULL, "answer from the cassette alone, without network", 0, NULL,
	AT(replay)},
    /* money */
    {"prices", 0, OPT_TEXT, "FILE", "prices of models, in place of the shipped ones", 0, NULL,
	AT(prices)},
    {"max-cost", 0, OPT_TEXT, "AMOUNT", "stop before more than this is spent", 0, NULL,
	AT(max_cost)},
    {"dry-run", 'n', OPT_FLAG, NULL, "print what would be asked and what it would cost", 0, NULL,
	AT(dry_run)},
    /* another way out */
    {"stream", 0, OPT_FLAG, NULL, "write delta records while replies arrive", 0, NULL, AT(stream)},
    {"plain", 0, OPT_FLAG, NULL, "write the replies' text alone, as it arrives", 0, NULL,
	AT(plain)},
    {"batch", 0, OPT_FLAG, NULL, "ask by the provider's batch API: half the price, within a day", 0,
	NULL, AT(batch)},
    {"state", 0, OPT_TEXT, "FILE", "where --batch keeps how far it is", 0, NULL, AT(state)},
    {"batch-size", 0, OPT_NUMBER, "N", "requests in one batch; 0: as many as the provider takes", 0,
	"0", AT(batch_size)},
    {0},
};

static const struct tool tool = {
	.name = "kandil-ai",
	.summary = "ask a language model about every record",
	.operands = "[FILE ...]",
	.opts = options,
	.epilogue = "jq -c '{id,text}' tickets.ndjson |\n"
		    "    kandil-ai --prompt='\"Classify: \\(.text)\"' --schema=class.json --max-cost=2",
};

static void
check(const struct run *run, const struct settings *s)
{
	if (s->jobs < 1)
		die(STATUS_USAGE, "%s: at least 1 request must be in flight", opt_origin("jobs"));
	if (s->replay && !s->cassette)
		die(STATUS_USAGE, "--replay needs a cassette: --cassette=DIR");
	if (s->stream && s->plain)
		die(STATUS_USAGE, "--stream and --plain: one of them");
	if (s->batch && (s->stream || s->plain || s->replay || s->dry_run))
		die(STATUS_USAGE, "--batch goes with none of --stream, --plain, --replay, --dry-run");
	if (s->plain && s->unordered)
		die(STATUS_USAGE, "--plain and --unordered: one of them");
	if (s->models && run->noperands)
		die(STATUS_USAGE, "--models reads nothing: leave out '%s'", run->operands[0]);
	if (s->model && !*s->model)
		die(STATUS_USAGE, "%s: a model needs a name; auto is by the key that is set",
		    opt_origin("model"));
	if (!*s->into)
		die(STATUS_USAGE, "%s: a member needs a name", opt_origin("into"));
}

/*
 * As many files as jobs need; where the system allows fewer, fewer jobs, or
 * those that find no file left would fail their records.
 */
static void
fit_jobs(struct settings *s)
{
	/* A program has three pipes; a connection may be tried by two protocols at once. */
	enum { PROGRAM = 3, CONNECTION = 2, OTHERS = 64 };
	long each = s->model && strncmp(s->model, "exec:", 5) == 0 ? PROGRAM : CONNECTION, fit;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || s->jobs < 1 ||
	    (r.rlim_cur > OTHERS && (rlim_t)s->jobs <= (r.rlim_cur - OTHERS) / (rlim_t)each))
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	fit = r.rlim_cur == RLIM_INFINITY ? s->jobs
	    : r.rlim_cur <= OTHERS ? 1 : (long)(r.rlim_cur - OTHERS) / each;
	if (fit < 1)
		fit = 1;
	if (s->jobs <= fit)
		return;
	note("--jobs=%ld needs more open files than are allowed: %ld in flight; see ulimit -n",
	    s->jobs, fit);
	s->jobs = fit;
}

static _Noreturn void
no_batches(const char *provider)
{
	die(STATUS_USAGE, "%s: '%s' has no batches that are known here: leave out --batch",
	    opt_origin("model"), provider);
}

/* A model that is named and cannot be had is known before anything is read. */
static void
check_model(struct run *run, const struct settings *s, struct endpoints *endpoints)
{
	const struct endpoint *p;
	struct slice name;
	struct err e;

	if (!s->model)
		return;
	/* Of a file a server would be started first. */
	if (s->batch && endpoint_is_program(slice(s->model)))
		no_batches(*s->model == 'e' ? "exec" : "llama");
	p = endpoint_default(endpoints, &name, &e);
	/* A signal is no failure: it takes its course. */
	if (p == NULL && run_interrupted())
		exit(run_finish(run));
	if (p == NULL)
		engine_die(STATUS_USAGE, e.text);
	if (s->batch && !batch_has(p))
		no_batches(p->provider);
}

static void
ask(struct run *run, const struct settings *s, struct endpoints *endpoints)
{
	struct engine *engine;

	if (s->batch) {
		batch_run(run, s, endpoints);
		return;
	}
	engine = engine_open(run, s, endpoints, NULL);
	engine_run(engine);
	engine_close(engine);
}

/* The word of --api; NULL: the provider's own. */
static const char *
api_word(const struct settings *s)
{
	static char word[16];
	const char *at = APIS;
	int n = s->api_choice;

	if (n == 0)
		return NULL;
	while (n-- > 0)
		at = strchr(at, '|') + 1;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, "|"), at);
	return word;
}

static void
work(struct run *run, const struct settings *s)
{
	bool offline = s->replay || s->dry_run;
	struct endpoint_settings where = {.model = s->model, .base_url = s->base_url,
	    .key_file = offline ? NULL : s->key_file,
	    .key_command = offline ? NULL : s->key_command,
	    .headers = &s->header, .path = s->path, .api = s->api, .api_version = s->api_version,
	    .offline = offline};
	struct endpoints *endpoints;
	struct err e;

	if (endpoints_open(&endpoints, &where, &e) < 0)
		die(STATUS_USAGE, "%s", e.text);
	if (s->models) {
		endpoints_list(endpoints, run, isatty(STDOUT_FILENO) && !s->common.output);
	} else {
		check_model(run, s, endpoints);
		ask(run, s, endpoints);
	}
	endpoints_close(endpoints);
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct run run;

	run_start(&run, &tool, &settings, argc, argv);
	settings.api = api_word(&settings);
	check(&run, &settings);
	fit_jobs(&settings);
	work(&run, &settings);
	return run_finish(&run);
}
