/*
 * batch: the run by the provider's batch API: half the price, within a day.
 *
 * The engine reads the input and says which requests nothing kept answers;
 * they go out in batches, and their replies into the cache; that is done again
 * (repairs, requests that expired or failed for a while) until nothing is missing, and
 * then the engine writes as it always does. Standard input is copied to a
 * file without a name first, since it is read more than once.
 *
 * A state file (--state, or beside the cache, named by what is asked) says
 * what was submitted, so that the same command goes on where a killed one was
 * and pays for nothing twice. Interrupting leaves the batches to the provider.
 */
#ifndef KANDIL_AI_BATCH_H
#define KANDIL_AI_BATCH_H

#include "tools/ai/ai.h"
#include "tools/ai/endpoint.h"

/* Whether batches of that provider are known here. */
bool batch_has(const struct endpoint *);
/* Dies with status 2 or 3 where nothing can be begun; else as engine_run. */
void batch_run(struct run *, const struct settings *, struct endpoints *);

#endif
