#include "tools/collab/sync_part.h"

#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"
#include "tools/collab/patch.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LOOK_MS = 500,	  /* where nothing tells of changes */
	BROKEN_MS = 300,  /* an editor may be writing it, or another in its place */
	HISTORY_MS = 60000, /* and for what the hub has, while that comes */
	AGAIN_MS = 1000,  /* it could not be written */
	SHARE = 4,	  /* at most a fourth of the time is spent on writing it */
	TRIES = 3,	  /* it changed while we wrote */
};

/* ---- opening ---- */

void
file_check(const char *name)
{
	char *copy = realpath(name, NULL);
	const char *folder;
	struct stat st;

	if (copy == NULL) {
		copy = xstrdup(name);
		folder = dirname(copy);
		if (stat(folder, &st) != 0)
			die(STATUS_FAILED, "'%s' cannot be kept: its folder '%s': %s: make it first, or "
			    "give another --state", name, folder, strerror(errno));
		if (!S_ISDIR(st.st_mode))
			die(STATUS_FAILED, "'%s' cannot be kept: '%s' is no folder: give another --state",
			    name, folder);
	}
	free(copy);
}

static void
on_notify(void *state)
{
	struct sync *s = state;
	char events[4096];

	while (read(s->notify, events, sizeof(events)) > 0)
		;
	s->touched = true;
}

/* Its folder: editors put another file in its place. */
static void
watch(struct sync *s)
{
	char *name = realpath(s->set->state, NULL), *copy;

	s->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	copy = name ? name : xstrdup(s->set->state);
	if (s->notify >= 0 && inotify_add_watch(s->notify, dirname(copy),
				  IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) >= 0)
		sockets_watch(s->loop, s->notify, on_notify, s);
	free(copy);
}

/* The file's canonical form, where it is a good one. */
static bool
read_file(const struct sync *s, struct buf *canonical)
{
	struct buf text = {0};
	bool good = path_read(s->set->state, SYNC_FILE, &text, NULL) == 0 &&
	    json_check(buf_slice(&text), NULL) == 0;

	if (good)
		patch_canonical(slice_trim(buf_slice(&text)), canonical);
	buf_free(&text);
	return good;
}

void
file_open(struct sync *s)
{
	struct buf text = {0};
	bool there = read_file(s, &text);
	struct stat st;

	if (stat(s->set->state, &st) == 0 && !S_ISREG(st.st_mode))
		die(STATUS_FAILED, "--state: '%s' is no regular file: name one, or one that is not there yet",
		    s->set->state);
	/* What we wrote last is no edit, though we were killed before that was stored. */
	if (there && hash_stable(buf_slice(&text)) == party_counter(s->party, COUNT_WRITTEN)) {
		buf_reset(&s->base);
		buf_addslice(&s->base, buf_slice(&text));
	}
	s->joining = s->base.len == 0 && there;
	s->document = document_open(s->set->state, buf_slice(&s->base), SYNC_FILE);
	s->touched = s->stale_file = true;
	s->gone = access(s->set->state, F_OK) != 0;
	buf_free(&text);
	watch(s);
}

/* ---- edits ---- */

/* The file is about to lose something of what it says: that is kept beside it. */
static void
keep_before(struct sync *s, struct slice file, const char *why)
{
	struct buf name = {0}, text = {0};
	struct err e;

	buf_addf(&name, "%s.before", s->set->state);
	document_pretty(file, &text);
	if (path_replace(name.ptr, buf_slice(&text), NULL, &e) != 0)
		die(STATUS_FAILED, "%s", e.text);
	note("%s: the file as it was is '%s'", why, name.ptr);
	buf_free(&name);
	buf_free(&text);
}

/* Somebody new has a file already: what the session has wins, the rest is added. */
static void
add_new(struct sync *s, struct slice file)
{
	struct buf state = {0}, patch = {0}, why = {0};
	size_t differ;

	state_read(s->state, &state);
	differ = patch_add(buf_slice(&state), file, &patch);
	if (patch.len > 2)
		own_queue(s, buf_slice(&patch));
	if (differ) {
		buf_addf(&why, "%zu members of '%s' differ from the session's, which count", differ,
		    s->set->state);
		keep_before(s, file, why.ptr);
	}
	s->stale_file = true;
	buf_free(&state);
	buf_free(&patch);
	buf_free(&why);
}

static void
say_fault(struct sync *s)
{
	s->fault_at = 0;
	s->fault_told = true;
	if (s->fault.line)
		warn("%s:%zu:%zu: %s", s->set->state, s->fault.line, s->fault.column, s->fault.text);
	else
		warn("%s", s->fault.text);
}

/* What a person broke is told when it stays so. */
static int64_t
fault_turn(struct sync *s, int64_t now)
{
	if (!document_broken(s->document)) {
		if (s->fault_told)
			note("'%s' is mended", s->set->state);
		s->fault_told = false;
		s->fault_at = 0;
	}
	if (s->fault_at == 0 || now < s->fault_at)
		return s->fault_at ? s->fault_at - now : -1;
	say_fault(s);
	return -1;
}

/* A file that is gone is written again, but not while somebody writes another in its place. */
static void
see_gone(struct sync *s, int64_t now)
{
	bool gone = access(s->set->state, F_OK) != 0;

	if (gone && !s->gone && s->write_at < now + BROKEN_MS)
		s->write_at = now + BROKEN_MS;
	s->stale_file |= gone;
	s->gone = gone;
}

static void
look(struct sync *s, int64_t now)
{
	struct buf patch = {0};
	int rc = document_poll(s->document, &patch, &s->fault);

	s->touched = false;
	s->look_at = now + LOOK_MS;
	if (rc < 0)
		s->fault_at = now + BROKEN_MS;
	else if (rc > 0 && s->joining)
		add_new(s, buf_slice(&patch));
	else if (rc > 0)
		own_queue(s, buf_slice(&patch));
	if (rc > 0)
		s->stale_file = s->dirty = s->keep_base = true;
	/* One that says nothing has nothing to add. */
	if (!document_broken(s->document))
		s->joining = false;
	see_gone(s, now);
	own_flush(s);
	buf_free(&patch);
}

/* ---- writing ---- */

/* True: the file was changed meanwhile. */
static bool
write_out(struct sync *s, int64_t now)
{
	struct buf state = {0};
	struct err e;
	int rc;

	state_read(s->state, &state);
	if (s->refused && !document_broken(s->document))
		keep_before(s, document_base(s->document), "what is not shared leaves the file");
	s->refused = false;
	party_count(s->party, COUNT_WRITTEN, hash_stable(buf_slice(&state)));
	rc = document_write(s->document, buf_slice(&state), &e);
	buf_free(&state);
	s->write_at = time_ms() + SHARE * (time_ms() - now);
	if (rc > 0)
		return true;
	if (rc < 0) {
		if (!s->write_told)
			warn("%s: %s", e.text, s->set->once ?
			    "the state is kept, and goes into the file with the next run that can write it" :
			    "it is tried again");
		s->write_told = true;
		s->write_at = now + AGAIN_MS;
		return false;
	}
	s->write_told = false;
	s->stale_file = document_broken(s->document);
	s->dirty = s->keep_base = true;
	return false;
}

/* Whether a file that is new here may be looked at. */
static bool
has_joined(struct sync *s, int64_t now)
{
	if (party_is_up(s->party) && party_has_history(s->party) && now < s->joined_by + HISTORY_MS &&
	    s->joining && (s->new || !party_is_whole(s->party)))
		return false;
	/* What was asked for comes in its time, or nobody has it. */
	return !s->joining || (now >= s->joined_by && s->wants == 0) ||
	    (party_is_whole(s->party) && head_agree(s));
}

int64_t
file_turn(struct sync *s)
{
	int64_t now = time_ms(), wait;

	if (s->document == NULL)
		return -1;
	if (!has_joined(s, now))
		return LOOK_MS / 10;
	for (int i = 0; i < TRIES; i++) {
		if (s->touched || now >= s->look_at)
			look(s, now);
		if (!s->stale_file || document_broken(s->document) || now < s->write_at ||
		    s->edits.next != s->edits.n || s->renewing || !write_out(s, now))
			break;
		s->touched = true;
	}
	wait = time_least(s->look_at - now, fault_turn(s, now));
	if (s->stale_file && !document_broken(s->document))
		wait = time_least(wait, s->write_at > now ? s->write_at - now : LOOK_MS / 10);
	return wait < 0 ? 0 : wait;
}

bool
file_settled(const struct sync *s)
{
	if (s->document == NULL || document_broken(s->document))
		return true;
	return !s->joining && (!s->stale_file || (s->set->once && s->write_told));
}

void
file_close(struct sync *s)
{
	/* Nobody was there for what it says: it was not looked at. */
	if (s->document && s->stale_file && !document_broken(s->document))
		run_status(s->run, s->joining ? STATUS_PARTIAL : STATUS_FAILED);
	if (s->document && document_broken(s->document)) {
		run_status(s->run, STATUS_PARTIAL);
		/* Nobody is going to mend it while we wait. */
		if (s->fault_at)
			say_fault(s);
	}
	document_free(s->document);
	if (s->notify >= 0)
		close(s->notify);
}
