/*
 * libjq 1.6 with its doors shut, each tested in tests/unit/query.c:
 *
 * - env, $ENV: the environment is empty while a program is compiled or run,
 *   so there is no $HOME either, from which ~/.jq would be read.
 * - import, include: the search path is set and empty, which is not enough
 *   (files of the current folder are found), so the program is wrapped as a
 *   definition, in which neither can be parsed.
 * - stderr writes there itself, and input, modulemeta, input_filename ask
 *   what is not theirs to know: defined anew in front of the program.
 * - halt ends the run as if there were no more results.
 * - Output is bounded while it is written: a small value can unfold without
 *   end ([.,.] sixty times over).
 */
#include "common/mem.h"
#include "common/query_part.h"
#include "common/record.h"
#include "common/tree_jv.h"

#include <jq.h>
#include <stdlib.h>
#include <unistd.h>

struct query_jq {
	jq_state *jq;
	struct buf out;
	struct buf messages; /* of the compiler */
};

/* On one line with the program's first, so that its lines keep their number. */
static const char prelude[] =
    "def stderr: debug; def input: error(\"a query reads no further input\"); "
    "def inputs: empty; def input_filename: null; def input_line_number: null; "
    "def modulemeta: error(\"a query reads no modules\"); def kandil_program: (";

static char **
hide_environment(void)
{
	static char *nothing[] = {NULL};
	char **old = environ;

	environ = nothing;
	return old;
}

static void
out_of_memory(void *unused)
{
	(void)unused;
	/* libjq aborts when its handler returns. */
	die(STATUS_FAILED, "out of memory in a jq program");
}

static void
on_message(void *state, jv message)
{
	struct query_jq *q = state;

	message = jq_format_error(message);
	if (jv_get_kind(message) == JV_KIND_STRING && q->messages.len < 4096)
		buf_addf(&q->messages, "%s\n", jv_string_value(message));
	jv_free(message);
}

static void
on_debug(void *state, jv value)
{
	struct tree t = tree_of(value);
	struct buf text = {0};

	(void)state;
	tree_write(&t, 2000, &text, NULL);
	run_busy(false);
	warn("debug: %s", text.ptr);
	run_busy(true);
	buf_free(&text);
	tree_free(&t);
}

/*
 * "jq: error: what (Unix shell quoting issues?) at <top-level>, line 3:\n…"
 * is libjq's own form.
 */
static int
compile_error(struct query_jq *q, size_t lines, struct err *e)
{
	static const char head[] = "jq: error: ", hint[] = " (Unix shell quoting", at[] = " at <";
	const char *text = q->messages.len ? q->messages.ptr : "it does not compile";
	const char *where = strstr(text, at), *end = strstr(text, hint), *line;
	size_t number = 0;

	if (strncmp(text, head, sizeof(head) - 1) == 0)
		text += sizeof(head) - 1;
	line = where ? strstr(where, "line ") : NULL;
	if (line)
		number = strtoul(line + 5, NULL, 10);
	if (end == NULL || (where && where < end))
		end = where ? where : strchrnul(text, '\n');
	if (number > lines)
		err_set(e, "bad_program", "the program ends too early");
	else
		err_set(e, "bad_program", "%.*s", (int)(end - text), text);
	if (e)
		e->line = number > lines ? lines : number;
	return -1;
}

static size_t
count_lines(struct slice program)
{
	size_t n = 1;

	for (size_t i = 0; i < program.len; i++)
		n += program.ptr[i] == '\n';
	return n;
}

int
query_jq_open(struct query_jq **out, struct slice program, struct err *e)
{
	struct query_jq *q = xcalloc(1, sizeof(*q));
	char **old = hide_environment();
	struct buf text = {0};
	int compiled;

	*out = NULL;
	buf_addf(&text, "%s%.*s\n); kandil_program", prelude, (int)program.len, program.ptr);
	q->jq = jq_init();
	if (q->jq == NULL)
		out_of_memory(NULL);
	jq_set_nomem_handler(q->jq, out_of_memory, NULL);
	jq_set_error_cb(q->jq, on_message, q);
	jq_set_debug_cb(q->jq, on_debug, q);
	jq_set_attr(q->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	compiled = jq_compile(q->jq, text.ptr);
	environ = old;
	buf_free(&text);
	if (compiled) {
		*out = q;
		return 0;
	}
	compile_error(q, count_lines(program), e);
	query_jq_close(q);
	return -1;
}

/* What a program said with error or halt_error: a string, or any value. */
static int
run_error(jv message, struct err *e)
{
	struct tree t = tree_of(message);
	struct buf text = {0};

	if (!tree_text(&t, &text))
		tree_write(&t, 1000, &text, NULL);
	err_set(e, "query_failed", "%.*s", (int)(text.len < 300 ? text.len : 300), text.ptr);
	buf_free(&text);
	tree_free(&t);
	return -1;
}

/* The run has no more results: because it was done, halted, or failed? */
static int
run_end(struct query_jq *q, jv last, struct err *e)
{
	jv message;

	if (jv_invalid_has_msg(jv_copy(last)))
		return run_error(jv_invalid_get_msg(last), e);
	jv_free(last);
	if (!jq_halted(q->jq))
		return 0;
	message = jq_get_error_message(q->jq);
	if (jv_is_valid(message))
		return run_error(message, e);
	jv_free(message);
	return 0;
}

int
query_jq_run(struct query_jq *q, struct slice input, query_result *result, void *state,
    struct err *e)
{
	size_t left = QUERY_OUTPUT;
	char **old;
	struct tree t;
	jv value;
	int rc;

	if (tree_parse(input, &t, e) < 0)
		return -1;
	old = hide_environment();
	jq_start(q->jq, tree_jv(&t), 0);
	for (;;) {
		run_busy(true);
		value = jq_next(q->jq);
		run_busy(false);
		if (!jv_is_valid(value)) {
			environ = old;
			return run_end(q, value, e);
		}
		t = tree_of(value);
		buf_reset(&q->out);
		rc = tree_write(&t, left, &q->out, NULL);
		tree_free(&t);
		if (rc < 0 || q->out.len >= left) {
			environ = old;
			return err_set(e, "query_failed",
			    "more than %d bytes of output, or nested deeper than %d levels",
			    QUERY_OUTPUT, JSON_DEPTH);
		}
		left -= q->out.len + 1; /* an empty result is not free */
		environ = old;
		result(buf_slice(&q->out), state);
		hide_environment();
	}
}

void
query_jq_close(struct query_jq *q)
{
	if (q == NULL)
		return;
	jq_teardown(&q->jq);
	buf_free(&q->out);
	buf_free(&q->messages);
	free(q);
}
