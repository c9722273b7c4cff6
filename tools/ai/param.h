/*
 * param: the parameters of an ask, from options and from records, as raw JSON.
 */
#ifndef KANDIL_AI_PARAM_H
#define KANDIL_AI_PARAM_H

#include "common/die.h"
#include "tools/ai/ai.h"
#include "tools/ai/ask.h"

/*
 * Sets the parameter of that name (max_tokens, temperature, top_p, top_k, seed,
 * stop, effort, body) to a raw JSON value, which the ask then points to. 1: set; 0: no
 * parameter has that name; -1 with e "bad_value": it cannot have that value.
 * null is "not said".
 */
int param_set(struct ask *, struct slice name, struct slice value, struct err *e);

/* The names of parameters in turn, NULL behind the last. */
const char *param_name(size_t i);
/*
 * The options' parameters; text keeps what had to be written for them and
 * must not change as long as the ask is used. 0, or -1 with e "bad_value".
 */
int param_options(struct ask *, const struct settings *, struct buf *text, struct err *e);

#endif
