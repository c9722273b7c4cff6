/*
 * keys: where a key comes from, and that it goes nowhere else.
 *
 * A key is read from --key-file, from the environment, or from the output of
 * key_command; the caller wipes it (common/secret.h).
 */
#ifndef KANDIL_AI_KEYS_H
#define KANDIL_AI_KEYS_H

#include "common/buf.h"
#include "common/die.h"
#include "tools/ai/endpoint.h"

/*
 * Appends the key of a provider whose key variables are names: the first line
 * of the key file, else the environment, else what the command prints.
 * 1: found; 0: there is none; -1 with e: "no_key" (a file that cannot be read
 * or is empty, a command that failed, a key with control characters in it).
 */
int key_find(const struct endpoint_settings *, struct slice names, struct buf *out, struct err *e);

#endif
