/*
 * How far the file of --log is, beside the inbox. Its own content tells that of messages that
 * are numbered; of others it only has the lines. So a file `logged` in the state folder
 * remembers a place of the inbox, and how long the log was when it had all up to there: lines
 * behind that are what was written since, the first of those that come next.
 *
 * Place and length are written in pairs by turns, and count when the turn does: a kill leaves
 * the pair before. All of it lies in one sector. It belongs to one file: another, or one
 * that is shorter now, is begun anew.
 */
#include "tools/collab/join_part.h"

#include "common/path.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The counters: which pair counts, the pairs, a hash of whose they are. */
enum { TURN, PLACES, BYTES = PLACES + 2, FILE_ID = BYTES + 2 };

static uint64_t
id_of(const struct join_log *l)
{
	struct stat st;
	uint64_t id[2];

	if (fstat(l->fd, &st) != 0)
		die(STATUS_FAILED, "cannot read '%s':", l->name);
	id[0] = (uint64_t)st.st_dev;
	id[1] = (uint64_t)st.st_ino;
	return hash_stable((struct slice){(const char *)id, sizeof(id)});
}

void
join_mark_set(struct join_log *l, uint64_t place)
{
	unsigned turn = (unsigned)(marks_get(&l->marks, TURN) + 1) % 2;

	marks_set(&l->marks, PLACES + turn, place);
	marks_set(&l->marks, BYTES + turn, (uint64_t)l->size);
	marks_set(&l->marks, TURN, marks_get(&l->marks, TURN) + 1);
}

bool
join_mark_open(struct join *j, uint64_t last, uint64_t *place, int64_t *bytes)
{
	struct join_log *l = &j->log;
	char *name = path_join(party_folder(j->party), "logged");
	uint64_t id = id_of(l);
	unsigned turn;
	bool damaged;
	struct err e;

	if (marks_open(&l->marks, name, &damaged, &e) != 0)
		die(STATUS_FAILED, "%s", e.text);
	free(name);
	turn = (unsigned)marks_get(&l->marks, TURN) % 2;
	*place = marks_get(&l->marks, PLACES + turn);
	*bytes = (int64_t)marks_get(&l->marks, BYTES + turn);
	return !damaged && marks_get(&l->marks, FILE_ID) == id && *place <= last && *bytes >= 0 &&
	    *bytes <= l->size && l->size > 0;
}

void
join_mark_begin(struct join_log *l, uint64_t place)
{
	marks_set(&l->marks, FILE_ID, 0);
	join_mark_set(l, place);
	marks_set(&l->marks, FILE_ID, id_of(l));
}
