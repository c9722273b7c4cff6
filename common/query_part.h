/*
 * query_part: the two ways in which query runs a program.
 */
#ifndef KANDIL_QUERY_PART_H
#define KANDIL_QUERY_PART_H

#include "common/query.h"

/* Paths and texts with paths, on slices. NULL: the program is more than that. */
struct query_text;
struct query_text *query_text_open(struct slice program);
/*
 * 0, or -1 with e. 1: this record has a value whose text only libjq knows (a
 * number that it would write otherwise, an array, an object), nothing was
 * handed on.
 */
int query_text_run(struct query_text *, struct slice input, query_result *, void *state,
    struct err *e);
/* As query_whole. */
void query_text_whole(struct query_text *);
void query_text_close(struct query_text *);

/* libjq in this process. */
struct query_jq;
int query_jq_open(struct query_jq **, struct slice program, struct err *e);
int query_jq_run(struct query_jq *, struct slice input, query_result *, void *state,
    struct err *e);
void query_jq_close(struct query_jq *);

#endif
