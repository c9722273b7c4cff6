/*
 * Our replica on disk, the file `state` beside the outbox: a line
 *	{"kandil":1,"again":[PATCH,…],"since":[ms,messages,bytes,size],"heard":{NODE:ms,…}}
 * and then a snapshot, a chunk a line. It may be behind: what the outbox and the inbox hold
 * beyond it is merged again. What the file of --state said last is in the file `base`, which is
 * written after each change of it: were that as old as the replica may be, what others changed
 * since would pass for edits of ours.
 */
#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	STORE_MS = 1000,
	SHARE = 20,	     /* at most a 20th of the time is spent on it */
	STORE_MOST = 1 << 30, /* bytes that are read */
	LINE = 64 << 10,
};

/* ---- reading ---- */

static void
read_heard(struct sync *s, struct slice heard)
{
	struct json_walk walk = json_walk(heard);
	struct slice key, value;
	struct buf name = {0};
	long long at;

	while (json_member(&walk, &key, &value)) {
		buf_reset(&name);
		if (json_text(key, &name) && name.len && json_long(value, &at))
			hear_replica(s, buf_slice(&name))->heard = at;
	}
	buf_free(&name);
}

/* The last snapshot, and what came since. */
static void
read_since(struct sync *s, struct slice since)
{
	struct json_walk walk = json_walk(since);
	long long n[4] = {0};
	struct slice value;

	for (int i = 0; i < 4; i++)
		if (!json_element(&walk, &value) || !json_long(value, &n[i]) || n[i] < 0)
			return;
	s->since = (struct since){n[0], (uint64_t)n[1], (uint64_t)n[2], (uint64_t)n[3]};
}

static int
read_head(struct sync *s, struct slice line, struct err *e)
{
	struct slice version, value, patch;
	struct json_walk walk;

	if (json_type(line) != JSON_OBJECT || !json_get(line, "kandil", &version) ||
	    !slice_is(version, "1"))
		return err_set(e, "bad_snapshot", "it is no state of this program");
	if (json_get(line, "heard", &value))
		read_heard(s, value);
	if (json_get(line, "since", &value) && json_type(value) == JSON_ARRAY)
		read_since(s, value);
	if (!json_get(line, "again", &value))
		return 0;
	walk = json_walk(value);
	while (json_element(&walk, &patch))
		queue_add(&s->again, patch);
	return 0;
}

/* 0, or -1 with e. */
static int
read_lines(struct sync *s, struct slice text, struct err *e)
{
	struct slice line;
	bool first = true;
	int whole = 0;

	while (slice_line(&text, &line)) {
		if (json_check(line, e) != 0)
			return -1;
		if (first) {
			if (read_head(s, line, e) != 0)
				return -1;
		} else if ((whole = state_load(s->state, line, e)) < 0) {
			return -1;
		}
		first = false;
	}
	return whole ? 0 : err_set(e, "bad_snapshot", "its end is missing");
}

static void
begin(struct sync *s)
{
	struct state_settings settings = {
	    .max_registers = SYNC_REGISTERS, .max_bytes = SYNC_BYTES};

	state_free(s->state);
	s->state = state_new(&settings);
	queue_free(&s->again);
}

static void
set_aside(struct sync *s, const struct err *e)
{
	struct buf name = {0};

	buf_adds(&name, s->store);
	buf_adds(&name, ".damaged-");
	time_put(&name, time_now());
	if (rename(s->store, name.ptr) == 0)
		warn("the state in '%s' is damaged: %s: it is set aside, and made of what the others have",
		    name.ptr, e->text);
	else
		warn("the state in '%s' is damaged: %s", s->store, e->text);
	buf_free(&name);
}

void
store_open(struct sync *s)
{
	struct buf text = {0};
	struct err e;
	bool there;

	s->store = path_join(party_folder(s->party), "state");
	s->base_store = path_join(party_folder(s->party), "base");
	there = access(s->store, F_OK) == 0;
	begin(s);
	if (there && (path_read(s->store, STORE_MOST, &text, &e) != 0 ||
			 read_lines(s, buf_slice(&text), &e) != 0)) {
		if (strcmp(e.code, "cannot_read") == 0)
			die(STATUS_FAILED, "%s", e.text);
		set_aside(s, &e);
		begin(s);
		there = false;
	}
	if (!there)
		party_rewind(s->party);
	/* Without the replica that it belongs to it would tell deletions that nobody made. */
	else if (path_read(s->base_store, SYNC_FILE, &s->base, NULL) != 0 ||
	    json_check(buf_slice(&s->base), NULL) != 0 ||
	    json_type(buf_slice(&s->base)) != JSON_OBJECT)
		buf_reset(&s->base);
	buf_free(&text);
}

/* ---- writing ---- */

static void
add_chunk(struct slice json, void *out)
{
	buf_addslice(out, json);
	buf_addc(out, '\n');
}

static void
put_head(struct sync *s, struct buf *out)
{
	json_open(out, '{');
	json_add_long(out, "kandil", 1);
	if (s->again.next != s->again.n) {
		struct queue rest = s->again;
		struct slice patch;

		json_name(out, "again");
		json_open(out, '[');
		for (; queue_next(&rest, &patch); rest.next++)
			json_put_raw(out, patch);
		json_close(out, ']');
	}
	json_name(out, "since");
	json_open(out, '[');
	json_put_long(out, s->since.at);
	json_put_long(out, (long long)s->since.messages);
	json_put_long(out, (long long)s->since.bytes);
	json_put_long(out, (long long)s->since.size);
	json_close(out, ']');
	json_name(out, "heard");
	json_open(out, '{');
	for (size_t i = 0; i < s->nreplicas; i++)
		json_add_long(out, s->replicas[i]->name, s->replicas[i]->heard);
	json_close(out, '}');
	json_close(out, '}');
	buf_addc(out, '\n');
}

static void
write_store(struct sync *s)
{
	struct stamp id = state_newest(s->state);
	struct buf out = {0};
	struct err e;

	if (id.l == 0)
		id = (struct stamp){.l = 1, .node = slice(s->self)};
	put_head(s, &out);
	state_snapshot(s->state, &id, LINE, add_chunk, &out);
	if (path_replace(s->store, buf_slice(&out), NULL, &e) != 0) {
		if (!s->store_told)
			warn("%s: it is tried again", e.text);
		s->store_told = true;
	} else {
		s->dirty = s->store_told = false;
		party_done(s->party, hear_first(s) ? hear_first(s) - 1 : s->place,
		    s->own_hole ? 0 : state_vector(s->state, slice(s->self)));
	}
	buf_free(&out);
}

int64_t
store_turn(struct sync *s, bool at_once)
{
	int64_t now = time_ms(), end;

	if (!s->dirty)
		return -1;
	/* A number that is in the state must not be given to another line after a crash. */
	if (party_said(s->party) != party_last(s->party))
		return STORE_MS / SHARE;
	if (!at_once && now < s->store_at)
		return s->store_at - now;
	write_store(s);
	end = time_ms();
	s->store_at = end + ((end - now) * SHARE > STORE_MS ? (end - now) * SHARE : STORE_MS);
	return s->dirty ? s->store_at - end : -1;
}

void
store_base(struct sync *s)
{
	struct err e;

	/* Edits that are not said yet are to be found in the file again. */
	if (!s->keep_base || s->edits.next != s->edits.n ||
	    party_said(s->party) != party_last(s->party))
		return;
	s->keep_base = path_replace(s->base_store, document_base(s->document), NULL, &e) != 0;
	if (s->keep_base && !s->store_told)
		warn("%s: it is tried again", e.text);
	s->store_told |= s->keep_base;
}
