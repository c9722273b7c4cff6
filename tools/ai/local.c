#include "tools/ai/local.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/record.h"
#include "common/time.h"
#include "tools/ai/fetch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	START_MS = 120000, /* a model of many gigabytes is read from disk first */
	PROBE_MS = 300,
	LAST_MS = 1000, /* for what it said before it ended */
	WORDS = 64 * 1024,
};

/* A port of loopback that is free now: it may be taken before the server is up, which then says so.
 */
static int
free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int port = -1;

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&at, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	close(fd);
	return port;
}

/* Takes what the server says so that it never waits for us; the last of it tells why it ended. */
static void
listen_to(struct spawn *server, struct buf *words, int64_t ms)
{
	struct slice nothing = {"", 0};
	struct buf out = {0};

	spawn_pump(server, &nothing, false, &out, words, WORDS, ms);
	buf_free(&out);
	if (words->len > WORDS / 2)
		buf_splice(words, 0, words->len - WORDS / 4, (struct slice){"", 0});
}

/* What it said is in the pipe when it has ended; children of its own may hold that open. */
static void
hear_out(struct spawn *server, struct buf *words)
{
	int64_t until = time_ms() + LAST_MS;

	while (spawn_ended(server) && server->err >= 0 && time_ms() < until)
		listen_to(server, words, until - time_ms());
}

static int
give_up(struct spawn *server, struct buf *words, const char *file, struct err *e)
{
	struct slice rest, line = {"", 0};
	struct buf shown = {0};

	if (run_interrupted()) {
		spawn_end(server, 0);
		return err_set(e, "interrupted", "interrupted");
	}
	hear_out(server, words);
	spawn_end(server, 0);
	rest = slice_trim(buf_slice(words));
	while (slice_line(&rest, &line))
		;
	buf_add_visible(&shown, line);
	err_set(e, "cannot_start", "llama-server does not come up with '%s': %.200s", file,
	    shown.len ? shown.ptr : "it said nothing");
	buf_free(&shown);
	return -1;
}

static int
wait_ready(struct spawn *server, const char *base, const char *file, struct err *e)
{
	int64_t until = time_ms() + START_MS, told = time_ms() + 2000;
	struct buf words = {0}, body = {0};
	char url[96];
	int rc = -1;

	snprintf(url, sizeof(url), "%s/health", base);
	while (!run_interrupted() && time_ms() < until && !spawn_ended(server)) {
		if (fetch_json(url, NULL, 0, PROBE_MS, &body, NULL)) {
			rc = 0;
			break;
		}
		listen_to(server, &words, 50);
		if (told && time_ms() > told) {
			note("waiting for llama-server to read '%s'", file);
			told = 0;
		}
	}
	if (rc < 0)
		give_up(server, &words, file, e);
	buf_free(&words);
	buf_free(&body);
	return rc;
}

int
local_start(struct spawn *server, const char *file, char **base, struct err *e)
{
	const char *program = getenv("KANDIL_LLAMA_SERVER");
	char port[8], url[64];
	const char *argv[] = {program && *program ? program : "llama-server", "-m", file, "--host",
	    "127.0.0.1", "--port", port, "--no-webui", NULL};
	struct spawn_options options = {
	    .argv = argv, .flags = SPAWN_NO_IN | SPAWN_NO_OUT | SPAWN_ERR | SPAWN_GROUP};
	int number = free_port();
	struct err why;

	if (access(file, R_OK) < 0)
		return err_set(e, "cannot_start", "cannot read the model '%s'", file);
	if (number < 0)
		return err_set(e, "cannot_start", "no port is free on 127.0.0.1");
	snprintf(port, sizeof(port), "%d", number);
	if (spawn_start(server, &options, &why) < 0)
		return err_set(e, "cannot_start",
		    "%s: install llama.cpp, or set KANDIL_LLAMA_SERVER to its llama-server",
		    why.text);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", number);
	if (wait_ready(server, url, file, e) < 0)
		return -1;
	*base = xstrdup(url);
	return 0;
}

char *
local_model(const char *base, bool ollama)
{
	struct buf url = {0}, body = {0}, name = {0};
	struct slice list, first;
	struct json_walk w;

	buf_addf(&url, "%s%s", base, ollama ? "/api/tags" : "/v1/models");
	if (fetch_json(url.ptr, NULL, 0, PROBE_MS, &body, NULL) &&
	    json_get(buf_slice(&body), ollama ? "models" : "data", &list)) {
		w = json_walk(list);
		if (json_element(&w, &first))
			json_get_text(first, ollama ? "name" : "id", &name);
	}
	buf_free(&url);
	buf_free(&body);
	if (name.len == 0) {
		buf_free(&name);
		return NULL;
	}
	return buf_detach(&name);
}
