/*
 * schema: JSON Schema 2020-12, compiled once, asked of every reply.
 *
 * A model's reply is data of a stranger: it is checked against the schema that was sent, and what
 * is wrong goes back to the model in words. All keywords that say something about a value are
 * known; `format` and what only describes are annotations. References stay inside the schema.
 * Numbers are compared as decimals, whatever their length; objects without order; of duplicate
 * names the last is read.
 * A schema may be hostile too: its size, the steps of one check, the depth and the time of
 * patterns are bounded, and reaching a bound is an error of its own, "schema_limit".
 * A schema is for one thread; a check allocates nothing once it has seen the largest value.
 * Source: JSON Schema core and validation, draft 2020-12.
 */
#ifndef KANDIL_AI_SCHEMA_H
#define KANDIL_AI_SCHEMA_H

#include "common/buf.h"
#include "common/die.h"

enum {
	SCHEMA_TEXT = 4 << 20,	  /* bytes of a schema */
	SCHEMA_NODES = 1 << 16,	  /* values in a schema */
	SCHEMA_STEPS = 20000000,  /* keywords applied and values compared in one check: < 1 s */
	SCHEMA_EVAL_DEPTH = 1500, /* schemas inside schemas at one moment of a check */
	SCHEMA_FOUND = 5,	  /* violations that a check reports */
};

struct schema;

/*
 * Compiles: the caller closes. text may go afterwards. NULL with e->code "bad_schema" (no JSON, or
 * no schema: where, as a JSON pointer, and what to do) or "schema_limit".
 */
struct schema *schema_open(struct slice text, struct err *e);
void schema_close(struct schema *);

/*
 * Whether value (JSON text, not yet checked) fits: 0, or -1 with e->code
 *   not_json, bad_utf8, too_deep  it is no JSON
 *   schema_mismatch               it does not fit; e->text is the first violation
 *   schema_limit                  a bound was reached: neither a yes nor a no
 * and, appended to why (may be NULL), at most SCHEMA_FOUND lines, each with an LF:
 *	/items/0/price: expected a number ≥ 0, found -1
 * A line begins with the value's JSON pointer, (root) for the whole.
 */
int schema_check(const struct schema *, struct slice value, struct buf *why, struct err *e);

/*
 * Appends a line for every member that is no keyword (x-… and names in a known vocabulary of
 * annotations are fine), with what was probably meant, and returns their number:
 *	/properties/id: 'requird' is no keyword: did you mean 'required'
 */
size_t schema_unknown(const struct schema *, struct buf *out);

/* ---- for providers (schema_send.c) ---- */

/* Its title or "reply", as [A-Za-z0-9_-]{1,64}. */
void schema_name(const struct schema *, struct buf *out);
/*
 * Whether OpenAI's strict mode can take it: the root is an object, every object names all its
 * properties as required and has additionalProperties false, every value has a type, nothing
 * uses a keyword that strict refuses, and its limits are kept. When not, the first reason goes
 * to why (may be NULL), without an LF.
 * Source: OpenAI, Structured Outputs, supported schemas (read November 2026).
 */
bool schema_takes_strict(const struct schema *, struct buf *why);
/*
 * Appends a copy in which objects that say nothing about further members, or true, get
 * additionalProperties false (Anthropic demands it of each). Values that fit the copy fit the
 * schema too. Where it would forbid what another part allows (allOf, a $ref with neighbours, an
 * object that is a map) an object stays open: then false is returned.
 */
bool schema_copy_closed(const struct schema *, struct buf *out);

#endif
