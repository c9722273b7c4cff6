#include "common/mem.h"
#include "common/query_part.h"

#include <stdlib.h>

struct query {
	struct buf program;
	struct query_text *text;
	struct query_jq *jq;
};

/* Starts libjq; a text needs it for few records or none. */
static int
start(struct query *q, struct err *e)
{
	if (q->jq)
		return 0;
	return query_jq_open(&q->jq, buf_slice(&q->program), e);
}

int
query_open(struct query **out, const char *name, struct slice program, struct err *e)
{
	struct query *q;

	*out = NULL;
	if (program.len > QUERY_PROGRAM)
		return err_set(e, "bad_program", "%s: longer than %d bytes", name, QUERY_PROGRAM);
	if (memchr(program.ptr, '\0', program.len) ||
	    utf8_valid(program.ptr, program.len) < program.len)
		return err_set(e, "bad_program", "%s: not a text in UTF-8", name);
	q = xcalloc(1, sizeof(*q));
	buf_addslice(&q->program, program);
	q->text = query_text_open(buf_slice(&q->program));
	if (q->text == NULL && start(q, e) < 0) {
		query_close(q);
		return -1;
	}
	*out = q;
	return 0;
}

void
query_whole(struct query *q)
{
	if (q->text)
		query_text_whole(q->text);
}

int
query_run(struct query *q, struct slice input, query_result *result, void *state, struct err *e)
{
	int rc = q->text ? query_text_run(q->text, input, result, state, e) : 1;

	if (rc <= 0)
		return rc;
	if (start(q, e) < 0)
		return -1;
	return query_jq_run(q->jq, input, result, state, e);
}

void
query_close(struct query *q)
{
	query_text_close(q->text);
	query_jq_close(q->jq);
	buf_free(&q->program);
	free(q);
}
