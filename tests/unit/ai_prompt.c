/*
 * prompt: what a record and the options come to; every way of getting it
 * wrong has a code and says what to do.
 */
#include "tools/ai/prompt.h"

#include "common/path.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static struct settings settings;
static struct arena arena;

static struct slice
raw(struct slice value)
{
	return value.ptr ? value : (struct slice){"-", 1};
}

/* The ask in a line: provider/model, turns, parameters; or !code. */
static const char *
ask_of(const char *record)
{
	static struct buf out;
	static const char *const roles[] = {"system", "user", "assistant"};
	struct endpoint_settings es = {.model = settings.model, .base_url = settings.base_url};
	struct endpoints *endpoints = NULL;
	struct prompter *p = NULL;
	struct err e = {0};
	struct ask ask;

	buf_reset(&out);
	buf_adds(&out, "");
	if (endpoints_open(&endpoints, &es, &e) < 0 || prompt_open(&p, &settings, endpoints, &e) < 0 ||
	    prompt_ask(p, slice(record), &arena, &ask, &e) < 0) {
		buf_addf(&out, "!%s", e.code);
	} else {
		struct slice params[] = {ask.max_tokens, ask.temperature, ask.seed, ask.stop, ask.effort,
		    ask.schema};

		buf_addf(&out, "%s/%.*s", ask.endpoint->provider, (int)ask.model.len, ask.model.ptr);
		for (size_t i = 0; i < ask.nturns; i++)
			buf_addf(&out, " %s:%.*s", roles[ask.turns[i].role], (int)ask.turns[i].content.len,
			    ask.turns[i].content.ptr);
		for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
			buf_addf(&out, " %.*s", (int)raw(params[i]).len, raw(params[i]).ptr);
	}
	prompt_close(p);
	endpoints_close(endpoints);
	return out.ptr;
}

static void
with(const char *prompt, const char *request)
{
	settings = (struct settings){.prompt = prompt, .request = request, .model = "ollama/m"};
}

int
main(void)
{
	setenv("KANDIL_DATADIR", "build/share/kandil", 0);
	setenv("OPENAI_API_KEY", "sk-test", 1);

	with("\"Say \\(.t)\"", NULL);
	CHECK_TEXT(ask_of("{\"t\":\"a\\nb\"}"), "ollama/m user:\"Say a\\nb\" - - - - - -");
	CHECK_TEXT(ask_of("{\"u\":1}"), "!no_prompt");
	CHECK_TEXT(ask_of("{\"t\":null}"), "!no_prompt");
	/* The record's own members say nothing where there is a prompt. */
	CHECK_TEXT(ask_of("{\"t\":1,\"model\":\"openai/x\",\"max_tokens\":\"no\"}"),
	    "ollama/m user:\"Say 1\" - - - - - -");
	with(".t", NULL);
	CHECK_TEXT(ask_of("{\"t\":\"x\"}"), "ollama/m user:\"x\" - - - - - -");
	CHECK_TEXT(ask_of("{\"t\":5}"), "!not_text");
	with(".t // \"none\" | ascii_upcase", NULL);
	CHECK_TEXT(ask_of("{}"), "ollama/m user:\"NONE\" - - - - - -");
	with("empty", NULL);
	CHECK_TEXT(ask_of("{}"), "!not_text");
	with("\"a\", \"b\"", NULL);
	CHECK_TEXT(ask_of("{}"), "!not_text");
	with("Classify this", NULL);
	CHECK_TEXT(ask_of("{}"), "!bad_program");

	/* The record as a request. */
	with(NULL, NULL);
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"system\":\"s\",\"max_tokens\":5,\"temperature\":0.20,\"seed\":7,"
			  "\"stop\":[\"x\"],\"effort\":\"low\",\"schema\":{\"type\":\"object\"}}"),
	    "ollama/m system:\"s\" user:\"p\" 5 0.20 7 [\"x\"] \"low\" {\"type\":\"object\"}");
	CHECK_TEXT(ask_of("{\"messages\":[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"system\",\"content\":\"s\"},"
			  "{\"role\":\"assistant\",\"content\":\"2\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"3\"}]}]}"),
	    "ollama/m system:\"s\" user:\"1\" assistant:\"2\" user:[{\"type\":\"text\",\"text\":\"3\"}] - - - - - -");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":\"openai/gpt\"}"), "openai/gpt user:\"p\" - - - - - -");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":\"hf.co/x:Q4\"}"), "ollama/hf.co/x:Q4 user:\"p\" - - - - - -");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":\"exec:rm -rf x\"}"), "!not_trusted");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":\"llama:x\"}"), "!not_trusted");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":7}"), "!bad_value");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"model\":\"groq/x\"}"), "!no_key");
	CHECK_TEXT(ask_of("{\"text\":\"p\"}"), "!no_prompt");
	CHECK_TEXT(ask_of("{\"prompt\":[1]}"), "!not_text");
	CHECK_TEXT(ask_of("{\"messages\":\"x\"}"), "!bad_messages");
	CHECK_TEXT(ask_of("{\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]}"), "!bad_messages");
	CHECK_TEXT(ask_of("{\"messages\":[{\"role\":\"user\"}]}"), "!bad_messages");
	CHECK_TEXT(ask_of("{\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}"), "!no_prompt");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"max_tokens\":\"9\"}"), "!bad_value");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"stop\":\"x\"}"), "!bad_value");
	CHECK_TEXT(ask_of("{\"prompt\":\"p\",\"schema\":{\"type\":\"strnig\"}}"), "!bad_schema");

	/* Options that are written as JSON here do not run into each other. */
	with(".t", NULL);
	settings.effort = "low";
	settings.stop = (struct opt_list){(const char *[]){"a", "b"}, 2};
	CHECK_TEXT(ask_of("{\"t\":\"x\"}"), "ollama/m user:\"x\" - - - [\"a\",\"b\"] \"low\" -");

	/* A program makes the request; options say the rest. */
	with("\"q \\(.x)\"", "{max_tokens: .n, system: \"be brief\"}");
	settings.seed = "3";
	settings.max_tokens = "100";
	CHECK_TEXT(ask_of("{\"x\":\"y\",\"n\":9}"),
	    "ollama/m system:\"be brief\" user:\"q y\" 9 - 3 - - -");
	settings.temperature = "hot";
	CHECK_TEXT(ask_of("{\"x\":\"y\"}"), "!bad_value");
	with("\"q\"", NULL);
	settings.schema = "{\"type\":7}";
	CHECK_TEXT(ask_of("{}"), "!bad_schema");
	settings.schema = "tests/unit/no-such-file.json";
	CHECK_TEXT(ask_of("{}"), "!cannot_read");
	arena_free(&arena);
	return check_done();
}
