/*
 * power: the power fails. What a process does to the files of a folder is written down, so
 * that what the disk may hold after a power failure at any point of it is put into another
 * folder, to be opened there.
 *
 * The model is the pessimist's one of A. Pillai et al., "All File Systems Are Not Created Equal"
 * (OSDI 2014): of what no fsync of the file has covered each write is there, not there, or in part.
 * Of what no fsync of the folder has covered each new name, removal or rename is there or
 * not, whole; those of one name in their order. Of a mapped file (marks.h) there is what it
 * held at some moment since. After an fsync that fails (A. Rebello et al., ATC 2020) what was
 * written can be read and is clean: no later fsync brings it to the disk.
 *
 * The first fsync of a file after power_fail = true fails.
 */
#ifndef KANDIL_TEST_POWER_H
#define KANDIL_TEST_POWER_H

#include "tests/unit/power_log.h"

/* What is left of what is not synced. */
enum power_luck { POWER_NOTHING, POWER_SOME, POWER_ALL };

/* Whether its file's, or folders', next fsync came in time, and did not fail. */
static bool
power_is_synced(size_t i, size_t at, int node)
{
	for (size_t k = i + 1; k < at; k++)
		if (power.ops[k].node == node &&
		    (power.ops[k].kind == POWER_SYNC || power.ops[k].kind == POWER_LOST))
			return power.ops[k].kind == POWER_SYNC;
	return false;
}

/* Whether what was done to the same names before is there. */
static bool
power_follows(size_t i)
{
	const struct power_op *op = &power.ops[i];

	for (size_t k = 0; k < i; k++)
		for (size_t n = 0; n < power.ops[k].nnames && !power.ops[k].kept; n++)
			for (size_t m = 0; m < op->nnames; m++)
				if (op->names[m].folder == power.ops[k].names[n].folder &&
				    strcmp(op->names[m].name, power.ops[k].names[n].name) == 0)
					return false;
	return true;
}

static void
power_choose(size_t at, enum power_luck luck)
{
	uint64_t chance = 1 + scratch_random(4);

	for (size_t i = 0; i < at; i++) {
		struct power_op *op = &power.ops[i];
		bool lucky = luck == POWER_ALL ||
		    (luck == POWER_SOME && scratch_random(5) < chance);

		op->kept = true;
		for (size_t n = 0; n < op->nnames; n++)
			op->kept &= power_is_synced(i, at, op->names[n].folder);
		if (op->kind == POWER_NAMES)
			op->kept |= lucky && power_follows(i);
		else
			op->kept = lucky || power_is_synced(i, at, op->node);
	}
}

static void
power_content(size_t at, enum power_luck luck, int node, struct buf *out)
{
	for (size_t i = 0; i < at; i++) {
		const struct power_op *op = &power.ops[i];
		size_t n = op->bytes.len, end;

		if (op->node != node || !op->kept)
			continue;
		if (op->kind == POWER_CUT || op->kind == POWER_MAPPED)
			buf_cut(out, op->at < out->len ? (size_t)op->at : out->len);
		if (op->kind == POWER_WRITE && luck == POWER_SOME && scratch_random(4) == 0 &&
		    !power_is_synced(i, at, node))
			n = scratch_random(n + 1);
		end = (size_t)op->at + n;
		while (op->kind != POWER_SYNC && op->kind != POWER_LOST && out->len < end)
			buf_addc(out, '\0');
		if (n)
			memcpy(out->ptr + op->at, op->bytes.ptr, n);
	}
}

static void
power_write(const char *path, const struct buf *content)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL ||
	    (content->len && fwrite(content->ptr, content->len, 1, f) != 1) || fclose(f) != 0)
		abort();
}

static void
power_make(size_t at, enum power_luck luck, int folder, const char *to)
{
	mkdir(to, 0700);
	for (size_t i = 0; i < at; i++)
		for (size_t n = 0; n < power.ops[i].nnames; n++) {
			const struct power_name *name = &power.ops[i].names[n];
			char *path = path_join(to, name->name);
			struct buf content = {0};

			if (!power.ops[i].kept || name->folder != folder) {
				free(path);
				continue;
			}
			/* Names in their order: the last one stays. */
			scratch_remove(path);
			unlink(path);
			if (name->node >= 0 && power.is_folder[name->node]) {
				power_make(at, luck, name->node, path);
			} else if (name->node >= 0) {
				power_content(at, luck, name->node, &content);
				power_write(path, &content);
			}
			buf_free(&content);
			free(path);
		}
}

/* ---- for tests ---- */

/* From now on; what is in the folder now is on the disk. Returns this first point. */
static inline size_t
power_watch(const char *folder)
{
	power.root = folder;
	power.nnodes = 1;
	power.is_folder[0] = true;
	power_scan();
	for (int i = 0; i < power.nnodes; i++)
		power_add(POWER_SYNC, i);
	return power.nops;
}

/* How much has happened so far: a point. */
static inline size_t
power_now(void)
{
	if (power.root)
		power_scan();
	return power.nops;
}

/* Nothing more is noted. */
static inline void
power_rest(void)
{
	power_now();
	power.root = NULL;
}

/* What the disk has when the power fails at that point, in a new folder outside. */
static inline void
power_cut(size_t at, enum power_luck luck, const char *to)
{
	const char *root = power.root;

	power.root = NULL;
	power_choose(at, luck);
	power_make(at, luck, 0, to);
	power.root = root;
}

/* Where it failed, for a test that did not survive it. */
static inline void
power_tell(size_t at, enum power_luck luck)
{
	fprintf(stderr, "the power fails after %zu of %zu: %s of what is not synced is left\n", at,
	    power.nops, luck == POWER_NOTHING ? "nothing" : luck == POWER_ALL ? "all" : "some");
}

static inline void
power_forget(void)
{
	power.root = NULL;
	for (size_t i = 0; i < power.nops; i++) {
		for (size_t n = 0; n < power.ops[i].nnames; n++)
			free(power.ops[i].names[n].name);
		free(power.ops[i].names);
		buf_free(&power.ops[i].bytes);
	}
	for (size_t i = 0; i < power.nnames; i++)
		free(power.names[i].name);
	for (int i = 0; i < power.nnodes; i++)
		buf_free(&power.mapped[i]);
	free(power.ops);
	free(power.names);
	memset(&power, 0, sizeof(power));
}

#endif
