/*
 * endpoint: which URL and which headers a model's name comes to, in every
 * environment that users have; where keys do not go.
 */
#include "tools/ai/endpoint_part.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const variables[] = {"OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OLLAMA_HOST",
    "OPENAI_ORG_ID", "GROQ_API_KEY", "OPENROUTER_API_KEY", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"};

static struct endpoint_settings s;

static void
env(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	if (name)
		setenv(name, value, 1);
	s = (struct endpoint_settings){0};
}

/* "base model headers", or "!code". */
static const char *
find(const char *model)
{
	static struct buf out;
	struct endpoints *es = NULL;
	struct endpoint *p = NULL;
	struct slice name;
	struct err e = {0};

	buf_reset(&out);
	buf_adds(&out, "");
	s.model = model;
	if (endpoints_open(&es, &s, &e) == 0)
		p = endpoint_default(es, &name, &e);
	if (p == NULL)
		buf_addf(&out, "!%s", e.code);
	else
		buf_addf(&out, "%s %.*s", p->base ? p->base : p->command, (int)name.len, name.ptr);
	for (size_t i = 1; p && i < p->nheaders; i++)
		buf_addf(&out, " [%.*s]", (int)p->headers[i].len, p->headers[i].ptr);
	endpoints_close(es);
	return out.ptr;
}

static void
test_environment(void)
{
	env("OPENAI_API_KEY", "k1");
	CHECK_TEXT(find("openai/gpt"), "https://api.openai.com/v1 gpt [Authorization: Bearer k1]");
	CHECK_TEXT(find("groq/x"), "!no_key");
	CHECK_TEXT(find("some-model"), "https://api.openai.com/v1 some-model [Authorization: Bearer k1]");
	setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/", 1);
	setenv("OPENAI_ORG_ID", "org", 1);
	CHECK_TEXT(find("openai/a/b"),
	    "http://127.0.0.1:9/v1 a/b [Authorization: Bearer k1] [OpenAI-Organization: org]");
	env("OPENAI_BASE_URL", "http://localhost:9");
	CHECK_TEXT(find("openai/x"), "http://localhost:9/v1 x");
	CHECK_TEXT(find("x"), "http://localhost:9/v1 x");
	env("ANTHROPIC_API_KEY", "sk-ant-api03-x");
	CHECK_TEXT(find("anthropic/c"),
	    "https://api.anthropic.com c [anthropic-version: 2026-10-21] [Authorization: Bearer sk-ant-api03-x]");
	s.api_version = "2023-06-01";
	CHECK_TEXT(find("anthropic/c"),
	    "https://api.anthropic.com c [anthropic-version: 2023-06-01] [x-api-key: sk-ant-api03-x]");
	s.api_version = "2024-01-01";
	CHECK_TEXT(find("anthropic/c"), "!bad_value");
	env("ANTHROPIC_BASE_URL", "http://127.0.0.1:8/v1");
	CHECK_TEXT(find("anthropic/c"), "http://127.0.0.1:8 c [anthropic-version: 2026-10-21]");
	env("GOOGLE_API_KEY", "g");
	CHECK_TEXT(find("gemini/f"), "https://generativelanguage.googleapis.com f [x-goog-api-key: g]");
	env("OLLAMA_HOST", "0.0.0.0");
	CHECK_TEXT(find("ollama/l"), "http://127.0.0.1:11434 l");
	env("OLLAMA_HOST", "box:99");
	CHECK_TEXT(find("ollama/l"), "http://box:99 l");
	env("OLLAMA_HOST", "https://o.example/");
	CHECK_TEXT(find("ollama/l"), "https://o.example l");
	env("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com/");
	setenv("AZURE_OPENAI_API_KEY", "z", 1);
	CHECK_TEXT(find("azure/dep"), "https://x.openai.azure.com/openai/v1 dep [api-key: z]");
	env(NULL, NULL);
	CHECK_TEXT(find("azure/dep"), "!no_provider");
	CHECK_TEXT(find("opnai/gpt"), "!no_provider");
	CHECK_TEXT(find("exec:cat -n"), "cat -n cat");
	CHECK_TEXT(find("exec:"), "!bad_value");
	CHECK_TEXT(find("llama:no-such.gguf"), "!cannot_start");
}

static void
test_where_keys_go(void)
{
	env("OPENAI_API_KEY", "k1");
	s.base_url = "http://api.example.com/v1";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://192.168.1.4:8000";
	CHECK_TEXT(find("openai/x"), "http://192.168.1.4:8000/v1 x [Authorization: Bearer k1]");
	s.base_url = "http://172.32.1.4:8000";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "https://u:p@api.example.com/v1";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://127.0.0.1.example.com";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://10.example.com";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://172.16.example.com";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://[2001:db8::1]:80";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.base_url = "http://[fd00::1]";
	CHECK_TEXT(find("openai/x"), "http://[fd00::1]/v1 x [Authorization: Bearer k1]");
	s.base_url = "http://LocalHost:80/v1";
	CHECK_TEXT(find("openai/x"), "http://LocalHost:80/v1 x [Authorization: Bearer k1]");
	s.base_url = "ftp://x";
	CHECK_TEXT(find("openai/x"), "!bad_value");
	env("OPENAI_API_KEY", "a b");
	CHECK_TEXT(find("openai/x"), "!no_key");
	env("OPENAI_API_KEY", "a\r\nX-Evil: 1");
	CHECK_TEXT(find("openai/x"), "!no_key");
}

static void
test_key_file(void)
{
	char name[] = "/tmp/kandil-key-XXXXXX";
	int fd = mkstemp(name);
	const char *own[] = {"X-Title: t", "Authorization: Bearer z"};
	struct opt_list headers = {own, 1};

	CHECK(fd >= 0 && write(fd, " k2 \nrest", 9) == 9);
	env(NULL, NULL);
	s.key_file = name;
	CHECK_TEXT(find("openai/x"), "https://api.openai.com/v1 x [Authorization: Bearer k2]");
	s.headers = &headers;
	CHECK_TEXT(find("openai/x"),
	    "https://api.openai.com/v1 x [Authorization: Bearer k2] [X-Title: t]");
	headers.n = 2;
	CHECK_TEXT(find("openai/x"), "!bad_value");
	s.headers = NULL;
	CHECK(ftruncate(fd, 0) == 0);
	CHECK_TEXT(find("openai/x"), "!no_key");
	close(fd);
	unlink(name);
	CHECK_TEXT(find("openai/x"), "!no_key");
	s.key_file = NULL;
	s.key_command = "printf 'k3\\n'";
	CHECK_TEXT(find("openai/x"), "https://api.openai.com/v1 x [Authorization: Bearer k3]");
	s.key_command = "exit 3";
	CHECK_TEXT(find("openai/x"), "!no_key");
}

/* The bases that a record's model and no model lead to, in this order or the other. */
static void
two_asks(const char *model, bool record_first, struct buf *out)
{
	struct endpoints *es = NULL;
	struct endpoint *own = NULL, *of_record = NULL;
	struct slice name;
	struct err e;

	buf_reset(out);
	CHECK(endpoints_open(&es, &s, &e) == 0);
	if (record_first)
		of_record = endpoint_find(es, slice(model), false, &name, &e);
	own = endpoint_default(es, &name, &e);
	if (!record_first)
		of_record = endpoint_find(es, slice(model), false, &name, &e);
	buf_addf(out, "%s %s", of_record ? of_record->base : e.code, own ? own->base : e.code);
	endpoints_close(es);
}

/* What a record names never changes where the others go, nor gets around --base-url. */
static void
test_records_name_models(void)
{
	struct buf got = {0};

	for (int order = 0; order < 2; order++) {
		env("OPENAI_API_KEY", "k1");
		s.base_url = "http://127.0.0.1:9/v1";
		two_asks("openai/x", order, &got);
		/* Nobody listens there who could say which models it has. */
		CHECK_TEXT(got.ptr, "http://127.0.0.1:9/v1 cannot_connect");
		s.model = "gpt";
		two_asks("openai/x", order, &got);
		CHECK_TEXT(got.ptr, "http://127.0.0.1:9/v1 http://127.0.0.1:9/v1");
		s.model = "openai/gpt";
		two_asks("ollama/x", order, &got);
		CHECK_TEXT(got.ptr, "http://127.0.0.1:11434 http://127.0.0.1:9/v1");
		env("ANTHROPIC_API_KEY", "k1");
		setenv("OPENAI_API_KEY", "k2", 1);
		s.api_version = "2023-06-01";
		two_asks("openai/x", order, &got);
		CHECK_TEXT(got.ptr, "https://api.openai.com/v1 https://api.anthropic.com");
	}
	/* A router's names are its own, however near they come to a provider's. */
	env("OPENROUTER_API_KEY", "k1");
	s.model = "openrouter/x";
	two_asks("mistralai/m", false, &got);
	CHECK_TEXT(got.ptr, "https://openrouter.ai/api/v1 https://openrouter.ai/api/v1");
	/* Those who have models of their own get no other names. */
	env("OPENAI_API_KEY", "k1");
	CHECK_TEXT(find("foo/bar"), "!no_provider");
	s.model = "openai/gpt";
	two_asks("foo/bar", false, &got);
	CHECK_TEXT(got.ptr, "no_provider https://api.openai.com/v1");
	setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", 1);
	CHECK_TEXT(find("foo/bar"), "http://127.0.0.1:9/v1 foo/bar [Authorization: Bearer k1]");
	env(NULL, NULL);
	s.base_url = "http://127.0.0.1:9/v1";
	CHECK_TEXT(find("mistralai/m"), "http://127.0.0.1:9/v1 mistralai/m");
	buf_free(&got);
}

/* Whether it is taken for one of this machine, which costs nothing. */
static bool
is_local(const char *model)
{
	struct endpoints *es = NULL;
	struct endpoint *p;
	struct slice name;
	struct err e;
	bool local;

	s.model = model;
	CHECK(endpoints_open(&es, &s, &e) == 0);
	p = endpoint_default(es, &name, &e);
	local = p && p->local;
	endpoints_close(es);
	return local;
}

static void
test_local(void)
{
	env(NULL, NULL);
	CHECK(is_local("ollama/l"));
	CHECK(!is_local("openai/l"));
	env("OLLAMA_HOST", "https://ollama.example");
	CHECK(!is_local("ollama/l"));
	env("OLLAMA_HOST", "192.168.1.9");
	CHECK(is_local("ollama/l"));
}

/* Another protocol of the same server: its base as that protocol has it. */
static void
test_api(void)
{
	env(NULL, NULL);
	s.api = "openai";
	CHECK_TEXT(find("ollama/l"), "http://127.0.0.1:11434/v1 l");
	CHECK_TEXT(find("llamacpp/l"), "http://127.0.0.1:8080/v1 l");
	env("OLLAMA_HOST", "0.0.0.0:99");
	s.api = "chat";
	CHECK_TEXT(find("ollama/l"), "http://127.0.0.1:99/v1 l");
	env("OLLAMA_HOST", "box");
	s.api = "responses";
	CHECK_TEXT(find("ollama/l"), "http://box:11434/v1 l");
}

int
main(void)
{
	setenv("KANDIL_DATADIR", "build/share/kandil", 0);
	test_environment();
	test_where_keys_go();
	test_records_name_models();
	test_local();
	test_api();
	test_key_file();
	return check_done();
}
