/*
 * words: the two data files that say what Flutter shows and what it does not.
 *
 * extract/rules/dart-core.txt is level core, argument by argument;
 * dart-context.txt holds sections of words for everything else. Both explain
 * their format at their head. They are read once and never change, so
 * workers share them.
 */
#ifndef KANDIL_EXTRACT_WORDS_H
#define KANDIL_EXTRACT_WORDS_H

#include "common/buf.h"
#include "common/die.h"

enum words_section {
	WORDS_TITLE_LIKE,
	WORDS_TEXT_CLASSES,
	WORDS_TEXT_CLOSURES,
	WORDS_TEXT_FUNCTIONS,
	WORDS_HELPERS,
	WORDS_KEEPING,
	WORDS_LOCALISED,
	WORDS_NEVER_ARGUMENTS,
	WORDS_NEVER_CALLS,
	WORDS_LOG_CALLS,
	WORDS_ERRORS,
	WORDS_SQL,
	WORDS_SQL_SECOND,
	WORDS_MACHINE,
	WORDS_GENERATED_FILES,
	WORDS_GENERATED_HEADS,
	WORDS_GENERATED_MARKS,
	WORDS_TESTS,
	WORDS_TEST_FOLDERS,
	WORDS_RESERVED,
	WORDS_SECTIONS
};

struct words;

/* From the data folder (path_data). NULL with e; the caller frees. */
struct words *words_load(struct err *e);
/* From texts that are lent until words_free: for tests. */
struct words *words_parse(struct slice core, struct slice context, struct err *e);
void words_free(struct words *);
/* Of the data's bytes: what was computed with other data is out of date. */
uint64_t words_hash(const struct words *);

/* Whether the table of level core has this argument: a name, a number or "*". */
bool words_core(const struct words *, struct slice call, struct slice argument);
/* Whether the section has the word, by itself or by a pattern with a star. */
bool words_has(const struct words *, enum words_section, struct slice word);
/* The same for a call on a target (len 0: none): Target.call, Target.*, call. */
bool words_has_call(const struct words *, enum words_section, struct slice target, struct slice call);

#endif
