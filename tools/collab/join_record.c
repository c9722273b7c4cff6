#include "tools/collab/join_part.h"

#include "common/time.h"

void
join_entry(const struct join *j, const struct party_entry *entry, bool replayed, struct buf *b)
{
	bool gap = entry->what == PARTY_GAP;

	buf_reset(b);
	json_open(b, '{');
	json_add(b, "kind", gap ? S("gap") : S("message"));
	json_add(b, "topic", slice(j->topic));
	if (!gap)
		json_add(b, "event", entry->event);
	if (entry->from.len)
		json_add(b, "from", entry->from);
	if (entry->seq)
		json_add_long(b, "seq", (long long)entry->seq);
	if (gap) {
		json_add_long(b, "last", (long long)entry->last);
		json_add_long(b, "count", (long long)entry->last - (long long)entry->seq + 1);
	} else {
		json_add_raw(b, "payload", entry->payload);
	}
	if (replayed) {
		json_name(b, "replayed");
		json_put_bool(b, true);
	}
	json_close(b, '}');
}

static void
is_true(struct slice value, void *state)
{
	bool *met = state;

	*met |= json_type(value) != JSON_NULL && json_type(value) != JSON_FALSE;
}

/* --until is asked about what was written. */
static void
ask_until(struct join *j, struct slice record)
{
	struct err e;

	if (j->until == NULL || j->met)
		return;
	if (query_run(j->until, record, is_true, &j->met, &e) == 0 || j->bad_until)
		return;
	j->bad_until = true;
	warn("--until: %s: such records do not count", e.text);
}

bool
join_take(const struct party_entry *entry, void *state)
{
	struct join *j = state;

	/* What was begun is finished, a signal or not. The log goes before. */
	if (((j->met || j->leaving || run_interrupted()) && j->out.place != entry->place) ||
	    (j->log.name && entry->place > j->log.place))
		return false;
	if (j->out.place != entry->place) {
		/* Something else is being written, or waits for its turn. */
		if (j->out.place || !join_out_idle(j))
			return false;
		join_entry(j, entry, entry->replayed, &j->record);
		if (entry->what == PARTY_GAP)
			run_status(j->run, STATUS_PARTIAL);
		if (!join_out_write(j, buf_slice(&j->record), entry->place)) {
			*entry->begun = j->out.at > 0;
			return false;
		}
	} else if (!join_out_idle(j)) {
		*entry->begun = j->out.at > 0;
		return false;
	}
	j->out.place = 0;
	ask_until(j, buf_slice(&j->record));
	return true;
}

void
join_presence(const char *event, struct slice key, struct slice meta, void *state)
{
	struct join *j = state;
	struct buf b = {0};

	if (!j->settings->presence)
		return;
	json_open(&b, '{');
	json_add(&b, "kind", S("presence"));
	json_add(&b, "topic", slice(j->topic));
	json_add(&b, "event", slice(event));
	json_add(&b, "from", key);
	json_add_raw(&b, "payload", meta.len ? meta : S("{}"));
	json_close(&b, '}');
	join_out_extra(j, buf_slice(&b), false);
	ask_until(j, buf_slice(&b));
	buf_free(&b);
}

void
join_waits(struct join *j, const struct session_hole *hole, const char *text)
{
	struct buf b = {0};

	if (!j->settings->status)
		return;
	json_open(&b, '{');
	json_add(&b, "kind", S("status"));
	json_add(&b, "topic", slice(j->topic));
	json_add(&b, "state", S("waiting"));
	json_add(&b, "from", hole->from);
	json_add_long(&b, "seq", (long long)hole->first);
	json_add_long(&b, "last", (long long)hole->last);
	if (hole->left_ms >= 0)
		json_add_long(&b, "retry_ms", (long long)hole->left_ms);
	json_add(&b, "reason", slice(text));
	json_close(&b, '}');
	join_out_extra(j, buf_slice(&b), false);
	ask_until(j, buf_slice(&b));
	buf_free(&b);
}

void
join_status(const char *what, const char *code, const char *text, int64_t retry_ms, uint64_t last,
    void *state)
{
	struct join *j = state;
	bool open = strcmp(what, "open") == 0;
	struct buf b = {0};

	j->answered |= strcmp(what, "up") == 0 || strcmp(what, "down") == 0;
	if (!open)
		j->up = strcmp(what, "up") == 0 ? time_ms() : 0;
	if (!j->settings->status || j->party == NULL) /* party_open has not returned yet */
		return;
	json_open(&b, '{');
	json_add(&b, "kind", S("status"));
	json_add(&b, "topic", slice(j->topic));
	json_add(&b, "state", slice(what));
	if (open) {
		json_add(&b, "from", party_self(j->party));
		json_add_long(&b, "last", (long long)last);
	}
	if (retry_ms >= 0)
		json_add_long(&b, "retry_ms", (long long)retry_ms);
	if (code)
		json_add(&b, "code", slice(code));
	if (text)
		json_add(&b, "reason", slice(text));
	json_close(&b, '}');
	join_out_extra(j, buf_slice(&b), false);
	ask_until(j, buf_slice(&b));
	buf_free(&b);
}
