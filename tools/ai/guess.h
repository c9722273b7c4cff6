/*
 * guess: how long a reply will be, by the schema that it has to fit.
 */
#ifndef KANDIL_AI_GUESS_H
#define KANDIL_AI_GUESS_H

#include "common/buf.h"

/*
 * The most tokens that a reply probably takes, by what the schema (a checked
 * raw JSON Schema) says of enums, constants, numbers, lengths and counts, and members
 * beyond those that it names left out; 0 where it sets no limit.
 */
long long guess_tokens(struct slice schema);

#endif
