/*
 * keys: where a key comes from, and that it goes nowhere else.
 *
 * A key is read from --key-file, from the environment, or from the output of
 * --key-command; the caller wipes it (common/secret.h).
 */
#ifndef KANDIL_AI_KEYS_H
#define KANDIL_AI_KEYS_H

#include "common/buf.h"
#include "common/die.h"
#include "tools/ai/endpoint.h"

/*
 * Appends the key of a provider whose key variables are names, of the first that is set: what
 * the command line names, the environment (KANDIL_AI_KEY_FILE, KANDIL_AI_KEY_COMMAND, the
 * provider's variables), what the configuration names; in one place the file comes before the
 * command. source: appended where it came from, which may be told.
 * 1: found; 0: there is none; -1 with e: "no_key" (a file that cannot be read
 * or is empty, a command that failed, a key with control characters in it).
 */
int key_find(const struct endpoint_settings *, struct slice names, struct buf *out,
    struct buf *source, struct err *e);

#endif
