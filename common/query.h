/*
 * query: jq programs, compiled once a process and run once a record.
 *
 * The third of three JSON layers. A jq program is code, and libjq 1.6 hands
 * code the environment, every .json file (import), ~/.jq, and this process's
 * stderr; here it gets none of them. `input` and `inputs` have nothing to
 * read, `halt` ends only this run, `debug` and `stderr` become messages.
 *
 * A program that comes from somewhere else than the user's own command line
 * (a pack, a project's folder) is given limits: it is compiled and run in a
 * child that can open nothing, and whose death is an error like any other.
 *
 * A program that is only a path (.a.b) or a text with paths in it
 * ("from \(.a.b)") runs on slices and starts no libjq, which takes 20 ms.
 */
#ifndef KANDIL_QUERY_H
#define KANDIL_QUERY_H

#include "common/json.h"

struct query;

struct query_limits {
	long cpu_ms;   /* of one run, and of compiling */
	size_t memory; /* bytes beyond what the process has when it starts */
};

/* What a pack's rule gets. */
extern const struct query_limits query_strict;

enum {
	QUERY_PROGRAM = 1 << 20, /* bytes of a program */
	QUERY_OUTPUT = 16 << 20, /* bytes of all results of one run */
};

/*
 * name is said in errors and must live as long as the query; limits NULL: the
 * user's own program. 0, or -1 with e ("bad_program", with its line).
 */
int query_open(struct query **, const char *name, struct slice program,
    const struct query_limits *limits, struct err *e);

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
 * "query_failed" (the program's own error, or too much output),
 * "query_killed" (a limit or a crash), or what tree_parse gives.
 */
int query_run(struct query *, struct slice input, query_result *, void *state, struct err *e);
void query_close(struct query *);

#endif
