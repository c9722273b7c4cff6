/*
 * local: models on this machine: llama-server started on demand, and what
 * already answers on loopback.
 */
#ifndef KANDIL_AI_LOCAL_H
#define KANDIL_AI_LOCAL_H

#include "common/die.h"
#include "common/spawn.h"

/*
 * Starts llama-server (PATH, or $KANDIL_LLAMA_SERVER) with a model file on a
 * free port of loopback and waits until it is ready: 0 and its base URL, the
 * caller's to free; or -1 with e "cannot_start" (the file, what to install,
 * what it said last) or "interrupted". It ends with us, by spawn_end or in any other way.
 */
int local_start(struct spawn *, const char *file, char **base, struct err *e);

/*
 * The first model that an Ollama (ollama) or a llama-server at base has, the
 * caller's to free; NULL when nothing answers within 300 ms, or it has none.
 */
char *local_model(const char *base, bool ollama);

#endif
