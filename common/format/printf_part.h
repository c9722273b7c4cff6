/*
 * printf_part: what the two directions of printf_message share. Private to
 * printf_*.c.
 */
#ifndef KANDIL_FORMAT_PRINTF_PART_H
#define KANDIL_FORMAT_PRINTF_PART_H

#include "common/format/printf_message.h"

/* The position that a name tells: "2" of printf (printf_text), "arg2" of others; 0: none. */
size_t printf_told_position(struct slice name, bool printf_text);
/* A conversion behind its % and position: flags, width, precision, length, letter. */
struct slice printf_spec(struct slice conversion);
/* The letters of conversions that put in a number. */
#define PRINTF_NUMBERS "diuoxXfFeEgG"
/* Whether a spec ends with one of those letters. */
bool printf_is(struct slice spec, const char *conversions);
/* The flavour's speller, without its state. */
struct forms_speller printf_speller(enum printf_flavour);

#endif
