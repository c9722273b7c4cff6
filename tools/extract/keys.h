/*
 * keys: a stable, legal name for each message.
 *
 * A message is its text and context, with placeholders by position: the same
 * message has one key wherever it stands and however its expressions are
 * called. Keys are legal for Flutter's gen-l10n: letters, digits and _, a
 * small letter first, no reserved word.
 *
 *	slug	helloP1YouHaveP2Items: its first words; the first message in
 *		order keeps the slug, others add _ and 6 hex digits of their hash
 *	hash	msg_ and 12 hex digits
 *	line	msg_<line>, behind the file's name where that is taken
 *
 * Memory holds each key once, up to KEYS_MAX; beyond, every new slug carries
 * its hash, so keys stay unique and memory flat.
 */
#ifndef KANDIL_EXTRACT_KEYS_H
#define KANDIL_EXTRACT_KEYS_H

#include "common/die.h"
#include "tools/extract/find.h"
#include "tools/extract/words.h"

enum keys_kind { KEYS_SLUG, KEYS_HASH, KEYS_LINE }; /* the order of --keys */
enum { KEYS_MAX = 50000 };

struct keys;

struct keys *keys_new(enum keys_kind, const struct words *);
void keys_free(struct keys *);

/*
 * Takes keys over from an ARB file (dialect: MESSAGE_ARB and what l10n.yaml
 * adds): its messages keep them, always, and no other text gets one of them.
 * Where two of its keys have one text, the first serves. -1 with e
 * ("cannot_read", "not_json", …).
 */
int keys_from_arb(struct keys *, const char *file, unsigned dialect, struct err *e);
/* The same from the template catalogue of the Flutter project in a folder; 0 where there is none. */
int keys_from_project(struct keys *, const char *root, struct err *e);

/*
 * The key of a string; lent until the next call. Where the message is known,
 * *names is how it calls its placeholders, separated by blanks (else len 0).
 */
struct slice keys_of(struct keys *, const char *file, const struct found *, struct slice *names);

#endif
