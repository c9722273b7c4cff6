#include "tools/collab/place_part.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"
#include "tools/collab/lock.h"
#include "tools/collab/store.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- folders ---- */

static int
make_folder(const struct place *p, struct err *e)
{
	if (store_folder(p->folder) == 0)
		return 0;
	return err_set(e, errno == ENOSPC || errno == EDQUOT ? "disk_full" : "cannot_write",
	    "cannot make the folder '%s': %s: give another with --state-dir", p->folder,
	    strerror(errno));
}

static int
find_folder(struct place *p, const struct place_settings *settings, struct err *e)
{
	struct buf path = {0};
	char *root;
	int rc;

	root = settings->folder && *settings->folder ? xstrdup(settings->folder)
						     : path_state("collab");
	if (root == NULL)
		return err_set(e, "no_home",
		    "there is no home folder for the state: set HOME, or give --state-dir");
	buf_adds(&path, root);
	free(root);
	rc = place_path(settings, &path, e);
	if (rc != 0) {
		buf_free(&path);
		return -1;
	}
	p->folder = buf_detach(&path);
	p->out = path_join(p->folder, "out");
	p->in = path_join(p->folder, "in");
	return make_folder(p, e);
}

/* ---- opening ---- */

int
place_open(struct place *p, const struct place_settings *settings, struct err *e)
{
	char *marks;
	uint64_t node;
	int rc;

	*p = (struct place){.lock = -1};
	rc = find_folder(p, settings, e);
	if (rc == 0)
		rc = lock_take(p->folder, &p->lock, e);
	if (rc == 0) {
		marks = path_join(p->folder, "marks");
		rc = marks_open(&p->marks, marks, &p->marks_lost, e);
		free(marks);
	}
	if (rc == 0)
		rc = place_settle(p, settings->name, e);
	if (rc != 0) {
		place_close(p);
		return -1;
	}
	/* What the relay took of another identity's lines says nothing of this one's. */
	node = hash_stable(slice(p->from));
	if (place_mark(p, PLACE_NODE) != node) {
		place_set(p, PLACE_RELAYED, 0);
		place_set(p, PLACE_NODE, node);
	}
	return 0;
}

void
place_close(struct place *p)
{
	marks_close(&p->marks);
	free(p->folder);
	free(p->out);
	free(p->in);
	free(p->aside);
	if (p->lock >= 0)
		close(p->lock);
	*p = (struct place){.lock = -1};
}

uint64_t
place_mark(const struct place *p, enum place_mark mark)
{
	return marks_get(&p->marks, mark);
}

void
place_set(struct place *p, enum place_mark mark, uint64_t value)
{
	marks_set(&p->marks, mark, value);
}

/* ---- journals ---- */

/* Whether what is in the outbox may go on being sent under this identity. */
static bool
is_ours(const struct place *p, const struct journal *j)
{
	struct journal_sender sender, second;

	if (journal_sender(j, 1, &second))
		return false;
	if (!journal_sender(j, 0, &sender))
		return place_mark(p, PLACE_RELAYED) == 0;
	return slice_is(sender.from, p->from) && sender.last >= place_mark(p, PLACE_RELAYED);
}

/* The whole folder has another name by now: what lies in it is named as it is found. */
static void
follow_aside(const struct place *p, struct journal_report *report)
{
	size_t n = strlen(p->out);
	struct buf name = {0};

	if (report->aside == NULL || p->aside == NULL || strncmp(report->aside, p->out, n) != 0)
		return;
	buf_adds(&name, p->aside);
	buf_adds(&name, report->aside + n);
	free(report->aside);
	report->aside = buf_detach(&name);
}

int
place_outbox(struct place *p, size_t max_bytes, struct journal **j, struct journal_report *report,
    struct err *e)
{
	struct journal_settings settings = {
	    .folder = p->out, .max_bytes = max_bytes, .outbox = true};
	struct journal_report clean;
	int rc;

	if (journal_open(j, &settings, report, e) != 0)
		return -1;
	/* What is gone was lost to one that was killed before it could renew. */
	if (report->lost == 0 && report->gone == 0 && is_ours(p, *j))
		return 0;
	journal_close(*j);
	*j = NULL;
	if (place_renew(p, e) != 0)
		return -1;
	follow_aside(p, report);
	rc = journal_open(j, &settings, &clean, e);
	journal_report_free(&clean);
	return rc;
}

int
place_inbox(struct place *p, size_t max_bytes, struct journal **j, struct journal_report *report,
    struct err *e)
{
	struct journal_settings settings = {.folder = p->in, .max_bytes = max_bytes};

	if (journal_open(j, &settings, report, e) != 0)
		return -1;
	if (place_mark(p, PLACE_DELIVERED) > journal_last(*j))
		place_set(p, PLACE_DELIVERED, journal_last(*j));
	return 0;
}
