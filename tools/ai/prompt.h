/*
 * prompt: what a record asks, by the options' jq programs and its own members.
 *
 * --prompt and --system are programs over the record that yield one string;
 * --request is a program that yields an object of prompt, system, messages,
 * model, schema, max_tokens, temperature, top_p, top_k, seed, stop, effort
 * and body, each of which wins over the option of that name. Where neither
 * --prompt nor --request is given, the record itself is that object.
 */
#ifndef KANDIL_AI_PROMPT_H
#define KANDIL_AI_PROMPT_H

#include "common/mem.h"
#include "tools/ai/ai.h"
#include "tools/ai/ask.h"

struct prompter;

/*
 * Compiles the programs, reads the schema and the parameters; 0, or -1 with e
 * ("bad_program", "bad_schema", "cannot_read", "bad_value"). The endpoint
 * where nobody names a model is found when the first record needs it.
 */
int prompt_open(struct prompter **, const struct settings *, struct endpoints *, struct err *e);
/*
 * Fills the ask from a record. What it points to lies in the arena, in the
 * record, or in the prompter. 0, or -1 with e: "no_prompt" (the record lacks
 * what the prompt needs), "not_text" (the program yields no string, or not
 * one), "query_failed", "bad_messages", "bad_schema", "bad_value", and what
 * endpoint_find gives: whatever else is wrong is found before, and turns is
 * NULL then.
 */
int prompt_ask(struct prompter *, struct slice record, struct arena *, struct ask *, struct err *e);
void prompt_close(struct prompter *);

#endif
