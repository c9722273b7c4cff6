/*
 * `send` as a process, against a relay in another one that answers as it is
 * told and logs what came.
 */
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/socket.h"
#include "common/time.h"
#include "tests/unit/check.h"
#include "tools/collab/where.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/kandil-send-XXXXXX";

static char *
in_folder(const char *name)
{
	return path_join(folder, name);
}

/* ---- the relay ---- */

/* "STATUS BODY" each, used up from the front; "cut": it dies. After them, and for "": 202. */
static const char *const *answers;
static const char *bad_word; /* a body with it is answered 422 */
static int port, log_fd;

static size_t
count_messages(struct slice body)
{
	struct slice list, element;
	size_t n = 0;

	if (json_check(body, NULL) < 0 || !json_get(body, "messages", &list))
		return 0;
	for (struct json_walk w = json_walk(list); json_element(&w, &element);)
		n++;
	return n;
}

static void
on_request(struct socket_ask *ask, void *state)
{
	struct slice path = socket_ask_path(ask), body = socket_ask_body(ask),
		     key = socket_ask_header(ask, "apikey"),
		     auth = socket_ask_header(ask, "authorization");
	const char *words = answers && *answers ? *answers++ : "";
	struct buf b = {0};

	(void)state;
	if (bad_word && memmem(body.ptr, body.len, bad_word, strlen(bad_word)))
		words = "422 {\"errors\":{\"payload\":[\"is bad\"]}}";
	buf_addf(&b, "%.*s [%.*s] [%.*s] %zu %.*s %.200s\n", (int)path.len, path.ptr, (int)key.len,
	    key.ptr, (int)auth.len, auth.ptr, count_messages(body), 3, *words ? words : "202", "");
	buf_cut(&b, b.len - 2);
	buf_addf(&b, " %.*s\n", body.len > 120 ? 120 : (int)body.len, body.ptr);
	path_write(log_fd, buf_slice(&b));
	buf_free(&b);
	if (strcmp(words, "cut") == 0)
		_exit(0);
	if (*words)
		socket_answer(ask, (int)strtol(words, NULL, 10), NULL, slice(words + 4), NULL);
	else
		socket_answer(ask, 202, NULL, S(""), NULL);
}

static int
on_accept(struct socket_ask *ask, void **conn, void *state)
{
	(void)conn;
	(void)state;
	socket_answer(ask, 403, NULL, S("{}"), NULL);
	return -1;
}

static pid_t
start_relay(void)
{
	static const struct socket_events none = {0};
	struct socket_server server = {.host = "127.0.0.1", .accept = on_accept,
	    .request = on_request, .events = &none};
	int pipe_fd[2];
	pid_t pid;

	if (pipe(pipe_fd) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		struct err e;
		char *log = in_folder("log");
		struct sockets *loop = sockets_open(&e);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
		if (loop == NULL || socket_listen(loop, &server, &e) < 0)
			_exit(1);
		port = sockets_port(loop);
		if (write(pipe_fd[1], &port, sizeof(port)) < 0)
			_exit(1);
		for (;;)
			sockets_wait(loop, -1);
	}
	if (read(pipe_fd[0], &port, sizeof(port)) != sizeof(port))
		exit(1);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return pid;
}

/* ---- send ---- */

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
	{"url", 'u', OPT_TEXT, "URL", "", 0, NULL, AT(url)},
	{"key-file", 0, OPT_TEXT, "FILE", "", 0, NULL, AT(key_file)},
	{"token-file", 0, OPT_TEXT, "FILE", "", 0, NULL, AT(token_file)},
	{"token-command", 0, OPT_TEXT, "COMMAND", "", 0, NULL, AT(token_command)},
	{"private", 0, OPT_FLAG, NULL, "", 0, NULL, AT(private_topic)},
	{"insecure", 0, OPT_FLAG, NULL, "", 0, NULL, AT(insecure)},
	{"max-payload", 0, OPT_SIZE, "BYTES", "", 0, "1000", AT(max_payload)},
	{"event", 'e', OPT_TEXT, "NAME", "", 0, "message", AT(event)},
	{0},
};
static const struct opt_command commands[] = {
	{"send", "", "TOPIC [FILE ...]", options, send_run}, {0}};
static const struct tool tool = {.name = "kandil-collab", .commands = commands};

static struct buf out, errors, relay_log;

static void
read_back(const char *name, struct buf *b)
{
	char *path = in_folder(name);
	struct err e;

	buf_reset(b);
	path_read(path, 1 << 22, b, &e);
	buf_adds(b, "");
	free(path);
}

static int
open_as(const char *name, int flags, int as)
{
	char *path = in_folder(name);
	int fd = open(path, flags, 0600);

	free(path);
	return fd < 0 ? -1 : dup2(fd, as);
}

static pid_t
start_send(const char *const *more)
{
	const char *argv[20] = {"kandil-collab", "send"};
	char url[64];
	int argc = 2;
	struct settings settings = {0};
	struct run run;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	snprintf(url, sizeof(url), "--url=ws://127.0.0.1:%d/realtime/v1/websocket", port);
	argv[argc++] = url;
	while (*more)
		argv[argc++] = *more++;
	argv[argc] = NULL;
	if (open_as("in", O_RDONLY, 0) < 0 || open_as("out", O_WRONLY | O_CREAT | O_TRUNC, 1) < 0 ||
	    open_as("err", O_WRONLY | O_CREAT | O_TRUNC, 2) < 0)
		_exit(99);
	run_start(&run, &tool, &settings, argc, (char **)(uintptr_t)argv);
	run_command(&run, &settings);
	exit(run_finish(&run));
}

/* Status, or 128 and the signal. */
static int
wait_for(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	read_back("out", &out);
	read_back("err", &errors);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
write_file(const char *name, struct slice content, mode_t mode)
{
	char *path = in_folder(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && path_write(fd, content) == 0 && fchmod(fd, mode) == 0);
	close(fd);
	free(path);
}

/* One run over this input with these answers of a relay of its own. */
static int
send_lines(const char *input, const char *const *given, const char *const *more)
{
	pid_t relay;
	int status;

	write_file("in", slice(input), 0600);
	answers = given;
	relay = start_relay();
	status = wait_for(start_send(more));
	kill(relay, SIGKILL);
	waitpid(relay, NULL, 0);
	read_back("log", &relay_log);
	return status;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static size_t
lines_in(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->ptr[i] == '\n';
	return n;
}

static void
test_batches(void)
{
	struct buf many = {0};

	unsetenv("KANDIL_COLLAB_KEY");
	CHECK(send_lines("{\"a\":1.10}\n\n{ \"b\" : 2 }", NULL, ARGS("stand up")) == 0);
	CHECK_TEXT(relay_log.ptr,
	    "/realtime/v1/api/broadcast [] [] 2 202 {\"messages\":[{\"topic\":\"stand up\",\"event\":"
	    "\"message\",\"private\":false,\"payload\":{\"a\":1.10}},{\"topic\":\"stand up\",\"event\":\"me\n");
	CHECK_TEXT(out.ptr, "");
	CHECK_TEXT(errors.ptr, "");

	for (int i = 0; i < 250; i++)
		buf_addf(&many, "{\"i\":%d}\n", i);
	setenv("KANDIL_COLLAB_KEY", "the-key", 1);
	CHECK(send_lines(many.ptr, NULL, ARGS("room", "--event=e/\303\251")) == 0);
	CHECK(lines_in(&relay_log) == 3 && strstr(relay_log.ptr, "[the-key] [] 100 202") &&
	    strstr(relay_log.ptr, " 50 202 "));
	/* A relay that takes fewer at once. */
	CHECK(send_lines(many.ptr,
		  ARGS("429 {\"message\":\"Too many messages to broadcast, please reduce the batch size\"}"),
		  ARGS("room")) == 0);
	CHECK(lines_in(&relay_log) == 6 && strstr(relay_log.ptr, " 100 429 "));
	/* One of them is bad: it alone comes back, and all others are sent once. */
	bad_word = "\"i\":77}";
	CHECK(send_lines(many.ptr, NULL, ARGS("room")) == 1);
	bad_word = NULL;
	CHECK(lines_in(&out) == 1 && strstr(out.ptr, "{\"i\":77,\"error\":{\"tool\":\"kandil-collab\","
						     "\"code\":\"bad_request\"") &&
	    strstr(out.ptr, "is bad"));
	size_t sent = 0;
	for (const char *at = relay_log.ptr; (at = strstr(at, "[the-key] [] ")); at++)
		if (strstr(at, " 202 ") && strstr(at, " 202 ") < strchr(at, '\n'))
			sent += strtoul(at + 13, NULL, 10);
	CHECK(sent == 249);
	buf_free(&many);
}

static void
test_order(void)
{
	struct buf in = {0};

	/* What fails comes out in its place; what is too large does not go. */
	buf_adds(&in, "{\"n\":1}\nnonsense\n{\"n\":2,\"x\":\"");
	for (int i = 0; i < 1000; i++)
		buf_addc(&in, 'x');
	buf_adds(&in, "\"}\n{\"n\":3}\n{\"n\":4,\"error\":{\"tool\":\"kandil-x\",\"code\":\"c\"}}\n");
	CHECK(send_lines(in.ptr, ARGS("500 {\"message\":\"oops\"}", "", "500 "), ARGS("room")) == 1);
	const char *first = strstr(out.ptr, "{\"n\":1,\"error\":"),
		   *second = strstr(out.ptr, "\"raw\":\"nonsense\""),
		   *third = strstr(out.ptr, "too_large"), *fourth = strstr(out.ptr, "{\"n\":4,");
	CHECK(first && second > first && third > second && fourth > third && lines_in(&out) == 4);
	CHECK(strstr(out.ptr, "oops; it may have arrived\",\"retryable\":true") != NULL);
	/* Its output is the input of the next run, with --retry. */
	struct buf again = {0};
	buf_addslice(&again, buf_slice(&out));
	CHECK(send_lines(again.ptr, NULL, ARGS("room", "--retry", "--max-payload=2K")) == 1);
	CHECK(strstr(relay_log.ptr, "{\"n\":1}") != NULL && lines_in(&out) == 1);
	/* --strict stops behind the first. */
	CHECK(send_lines("{\"n\":1}\n{\"n\":2}\n", ARGS("500 "), ARGS("room", "--strict")) == 1);
	CHECK(lines_in(&out) == 1 && lines_in(&relay_log) == 1);
	buf_free(&again);
	buf_free(&in);
}

static void
test_private(void)
{
	setenv("KANDIL_COLLAB_KEY", "the-key", 1);
	setenv("KANDIL_COLLAB_TOKEN", "the-token", 1);
	CHECK(send_lines("{\"a\":1}\n{\"a\":2}\n", NULL,
		  ARGS("a:b\303\251", "--private", "--event=e f")) == 0);
	CHECK_TEXT(relay_log.ptr,
	    "/realtime/v1/api/broadcast/a%3Ab%C3%A9/events/e%20f [the-key] [Bearer the-token] 0 202 "
	    "{\"a\":1}\n"
	    "/realtime/v1/api/broadcast/a%3Ab%C3%A9/events/e%20f [the-key] [Bearer the-token] 0 202 "
	    "{\"a\":2}\n");
	/* An older relay. */
	CHECK(send_lines("{\"a\":1}\n{\"a\":2}\n", ARGS("404 {}"), ARGS("room", "--private")) == 0);
	CHECK(lines_in(&relay_log) == 3 && strstr(relay_log.ptr, " 1 202 ") &&
	    strstr(relay_log.ptr, "\"private\":true") && strstr(errors.ptr, "older than 2.97"));
	/* Not allowed: nothing more is asked, and all that was not sent comes out. */
	CHECK(send_lines("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n",
		  ARGS("", "401 {\"message\":\"Unauthorized the-token\"}"),
		  ARGS("room", "--private")) == 3);
	CHECK(lines_in(&relay_log) == 2 && lines_in(&out) == 2 && lines_in(&errors) == 1);
	CHECK(strstr(out.ptr, "{\"a\":2,\"error\":{\"tool\":\"kandil-collab\",\"code\":\"authentication\""));
	CHECK(strstr(errors.ptr, "Unauthorized ***") && !strstr(out.ptr, "the-token"));
	unsetenv("KANDIL_COLLAB_TOKEN");
	CHECK(send_lines("{\"a\":1}\n", ARGS("404 {}"), ARGS("room")) == 3);
	CHECK(strstr(out.ptr, "no_realtime") != NULL);
}

static void
test_tokens(void)
{
	char *count = in_folder("count"), command[200];

	snprintf(command, sizeof(command), "--token-command=echo x >>%s; echo token-$(wc -l <%s)",
	    count, count);
	CHECK(send_lines("{\"a\":1}\n", ARGS("401 {\"message\":\"Unauthorized\"}"),
		  ARGS("room", command)) == 0);
	CHECK(strstr(relay_log.ptr, "[Bearer token-1] 1 401") &&
	    strstr(relay_log.ptr, "[Bearer token-2] 1 202"));
	CHECK(send_lines("{\"a\":1}\n", ARGS("401 {}", "401 {}"), ARGS("room", command)) == 3);
	CHECK(lines_in(&relay_log) == 2);
	unlink(count);
	free(count);
}

static void
test_faults(void)
{
	int64_t until = time_ms() + 30000;
	pid_t pid;

	/* Cut off with the request there: whether it arrived nobody knows. */
	CHECK(send_lines("{\"a\":1}\n", ARGS("cut"), ARGS("room")) == 1);
	CHECK(strstr(out.ptr, "\"code\":\"cut_off\"") && strstr(out.ptr, "may have arrived"));
	/* Too often: paced, and sent in the end. */
	CHECK(send_lines("{\"a\":1}\n", ARGS("429 {\"message\":\"Too many requests\"}"),
		  ARGS("room")) == 0);
	CHECK(lines_in(&relay_log) == 2);
	/* Nobody there, and then a signal: what was not sent comes out. */
	write_file("in", S("{\"a\":1}\n{\"a\":2}\n"), 0600);
	write_file("err", S(""), 0600);
	buf_reset(&errors);
	pid = start_send(ARGS("room"));
	while (errors.len == 0 && time_ms() < until) {
		usleep(5000);
		read_back("err", &errors);
	}
	kill(pid, SIGTERM);
	CHECK(wait_for(pid) == 128 + SIGTERM);
	CHECK(lines_in(&out) == 2 && strstr(out.ptr, "cannot_connect"));
}

static void
test_settings(void)
{
	char *key = in_folder("key"), option[200];

	unsetenv("KANDIL_COLLAB_KEY");
	write_file("in", S("{}\n"), 0600);
	write_file("key", S("file-key\nrest\n"), 0644);
	snprintf(option, sizeof(option), "--key-file=%s", key);
	CHECK(send_lines("{}\n", NULL, ARGS("room", option)) == 2);
	CHECK(strstr(errors.ptr, "chmod") && relay_log.len == 0);
	write_file("key", S("file-key\nrest\n"), 0600);
	CHECK(send_lines("{}\n", NULL, ARGS("room", option)) == 0);
	CHECK(strstr(relay_log.ptr, "[file-key] []") != NULL);
	CHECK(send_lines("{}\n", NULL, ARGS("room", "--url=https://hub.example")) == 2);
	CHECK(strstr(errors.ptr, "KANDIL_COLLAB_KEY") != NULL);
	CHECK(send_lines("{}\n", NULL, ARGS("room", "--url=http://hub.example")) == 2);
	CHECK(send_lines("{}\n", NULL, ARGS("--private")) == 2);
	CHECK(send_lines("{}\n", NULL, ARGS("room", "--event=")) == 2);
	unlink(key);
	free(key);
}

int
main(void)
{
	static const char *const files[] = {"in", "out", "err", "log", "count", "key"};

	if (mkdtemp(folder) == NULL)
		return 1;
	test_batches();
	test_order();
	test_private();
	test_tokens();
	test_faults();
	test_settings();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = in_folder(files[i]);

		unlink(path);
		free(path);
	}
	rmdir(folder);
	buf_free(&out);
	buf_free(&errors);
	buf_free(&relay_log);
	return check_done();
}
