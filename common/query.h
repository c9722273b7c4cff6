/*
 * query: jq programs, compiled once a process and run once a record.
 *
 * The third of three JSON layers. A jq program is code, and libjq 1.6 hands
 * code the environment, every .json file (import), ~/.jq, and this process's
 * stderr; here it gets none of them. `input` and `inputs` have nothing to
 * read, `halt` ends only this run, `debug` and `stderr` become messages. It may
 * compute for ever, until a signal (run_busy of record.h), and take what memory there is:
 * programs are the user's own.
 *
 * A program that is only a path (.a.b) or a text with paths in it
 * ("from \(.a.b)") runs on slices and starts no libjq, which takes 20 ms.
 */
#ifndef KANDIL_QUERY_H
#define KANDIL_QUERY_H

#include "common/json.h"

struct query;

enum {
	QUERY_PROGRAM = 1 << 20, /* bytes of a program */
	QUERY_OUTPUT = 16 << 20, /* bytes of all results of one run */
};

/*
 * 0, or -1 with e ("bad_program", with its line); name is said where the whole is no program.
 */
int query_open(struct query **, const char *name, struct slice program, struct err *e);

/*
 * From now on a path that leads to null in a program that is only a path or a
 * text with paths is an error, "no_value", which names it: jq would write the
 * word null into the text. Other programs are as they were.
 */
void query_whole(struct query *);

/* Takes one result: a JSON value, lent until it returns. */
typedef void query_result(struct slice value, void *state);

/*
 * Runs the program on a value that json_check accepted and hands on its
 * results, in order. 0, or -1 with e, perhaps after some results:
 * "query_failed" (the program's own error, or too much output), or what tree_parse gives.
 */
int query_run(struct query *, struct slice input, query_result *, void *state, struct err *e);
void query_close(struct query *);

#endif
