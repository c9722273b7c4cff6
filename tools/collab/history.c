/* Topics, their rings, and what is too much. */
#include "common/mem.h"
#include "common/time.h"
#include "tools/collab/history_part.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* How often ages are looked at, and of how many topics at a time. */
enum { LOOK_MS = 1000, LOOK_TOPICS = 1000 };

/* As counted; rings and tables are up to twice what is in them. */
enum {
	TOPIC_COST = sizeof(struct history) + 2 * sizeof(struct table_slot) + 2 * sizeof(void *),
	ENTRY_COST = 2 * sizeof(struct entry) + 16,
};

static size_t
topic_cost(const struct history *h)
{
	return TOPIC_COST + h->key_len + (h->file ? strlen(h->file) : 0);
}

static size_t
entry_cost(const struct history *h, const struct entry *entry)
{
	return ENTRY_COST + (h->all->folder < 0 ? entry->len : 0);
}

/* ---- the list by last message ---- */

static void
unlist(struct history *h)
{
	*(h->newer ? &h->newer->older : &h->all->newest) = h->older;
	*(h->older ? &h->older->newer : &h->all->oldest) = h->newer;
	h->newer = h->older = NULL;
}

static void
list(struct history *h)
{
	h->newer = NULL;
	h->older = h->all->newest;
	*(h->older ? &h->older->newer : &h->all->oldest) = h;
	h->all->newest = h;
}

/* Moves it to the end of those that were spoken to last. */
static void
touch(struct history *h)
{
	unlist(h);
	list(h);
}

/* ---- topics ---- */

static uint64_t
random_epoch(void)
{
	uint64_t epoch = 0;

	/* Unique is enough, it is no secret. */
	if (getrandom(&epoch, sizeof(epoch), GRND_NONBLOCK) != sizeof(epoch))
		epoch = (uint64_t)time_now() << 20 ^ (uint64_t)time_ns();
	return epoch;
}

struct history *
history_make(struct histories *all, struct slice key)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->all = all;
	h->key = xstrndup(key.ptr, key.len);
	h->key_len = key.len;
	h->fd = -1;
	h->epoch = random_epoch();
	h->first = 1;
	if (all->folder >= 0) {
		struct buf name = {0};

		history_disk_name(key, &name);
		h->file = buf_detach(&name);
	}
	all->topics = xgrow(all->topics, all->n, &all->cap, sizeof(struct history *));
	all->topics[all->n++] = h;
	all->empty++;
	*table_put(&all->table, (struct slice){h->key, h->key_len}, NULL) = (uintptr_t)h;
	return h;
}

struct history *
history_of(struct histories *all, struct slice topic, bool private, bool make)
{
	struct slice key;
	uint64_t *value;
	struct history *h;

	if (topic.len > HISTORY_NAME)
		return NULL;
	buf_reset(&all->body);
	buf_addc(&all->body, private ? '1' : '0');
	buf_addslice(&all->body, topic);
	key = buf_slice(&all->body);
	value = table_get(&all->table, key);
	h = value ? (struct history *)(uintptr_t)*value : make ? history_make(all, key) : NULL;
	if (h)
		history_trim(h, time_now());
	return h && (make || h->n) ? h : NULL;
}

static void
history_free(struct history *h)
{
	for (size_t i = 0; i < h->n && h->all->folder < 0; i++)
		free(entry_of(h, h->first + i)->body);
	history_index_free(&h->index);
	free(h->ring);
	free(h->file);
	free(h->key);
	free(h);
}

/* The table anew, without topics that have nothing. */
static void
tidy(struct histories *all)
{
	size_t n = 0;

	table_free(&all->table);
	for (size_t i = 0; i < all->n; i++) {
		struct history *h = all->topics[i];

		if (h->n == 0) {
			history_free(h);
			continue;
		}
		*table_put(&all->table, (struct slice){h->key, h->key_len}, NULL) = (uintptr_t)h;
		all->topics[n++] = h;
	}
	all->n = n;
	all->empty = 0;
}

/* ---- the ring ---- */

static void
resize(struct history *h, size_t cap)
{
	struct entry *ring = xreallocarray(NULL, cap, sizeof(*ring));

	for (uint64_t number = h->first; number < h->first + h->n; number++)
		ring[number & (cap - 1)] = *entry_of(h, number);
	free(h->ring);
	h->ring = ring;
	h->cap = cap;
}

void
history_push(struct history *h, const struct entry *entry)
{
	struct histories *all = h->all;

	if (h->n == h->cap)
		resize(h, h->cap ? 2 * h->cap : 4);
	if (h->n == 0) {
		list(h);
		all->empty--;
		all->bytes += topic_cost(h);
	}
	h->n++;
	*entry_of(h, h->first + h->n - 1) = *entry;
	all->bytes += entry_cost(h, entry);
}

static void
emptied(struct history *h)
{
	struct histories *all = h->all;

	unlist(h);
	all->empty++;
	all->bytes -= topic_cost(h) + history_index_tidy(&h->index);
	free(h->ring);
	h->ring = NULL;
	h->cap = 0;
	if (all->folder >= 0) {
		/* The file goes with the last message, and with it the knowledge of numbers. */
		history_file_remove(h);
		h->first = 1;
		h->epoch = random_epoch();
	}
}

void
history_drop(struct history *h)
{
	struct entry *entry = entry_of(h, h->first);

	if (entry->sender)
		h->all->bytes -= history_index_remove(&h->index, entry->sender, entry->seq);
	h->all->bytes -= entry_cost(h, entry);
	if (h->all->folder < 0)
		free(entry->body);
	h->first++;
	h->n--;
	if (h->n == 0)
		emptied(h);
	else if (h->cap > 64 && h->n < h->cap / 8)
		resize(h, h->cap / 4);
}

void
history_trim(struct history *h, int64_t wall)
{
	const struct histories_settings *s = &h->all->settings;

	while (h->n && ((s->messages && h->n > s->messages) ||
			   (s->ms && entry_of(h, h->first)->at < wall - s->ms)))
		history_drop(h);
}

/* ---- messages ---- */

/* Whether a kandil message is there already, or its sender's are all newer. */
static bool
seen(const struct history *h, struct slice from, uint64_t seq)
{
	const struct sender *s = history_index_find(&h->index, from);
	size_t at;

	if (s == NULL || s->n == 0)
		return false;
	at = history_index_seek(s, seq);
	return at < s->n && (at == 0 || s->v[s->head + at].seq == seq);
}

int
history_put(struct history *h, const struct history_message *message, struct err *e)
{
	struct histories *all = h->all;
	struct history_message m = *message;
	struct entry entry = {0};
	bool again, stamped = m.json && !m.whole &&
	    history_stamp(m.payload, &all->from, &entry.seq, &again);
	struct slice from = buf_slice(&all->from);

	if (m.event.len > HISTORY_EVENT || m.meta.len > HISTORY_BODY / 4 ||
	    m.payload.len > HISTORY_BODY / 2 || (stamped && seen(h, from, entry.seq)))
		return 1;
	m.number = h->first + h->n;
	m.at = time_now();
	if (h->n && m.at < entry_of(h, m.number - 1)->at)
		m.at = entry_of(h, m.number - 1)->at;
	history_body_write(&all->body, &m);
	entry.at = m.at;
	entry.len = (uint32_t)all->body.len;
	if (all->folder >= 0) {
		if (history_file_append(h, &entry.where, time_ms(), e) != 0)
			return -1;
	} else {
		entry.body = xmalloc(entry.len);
		memcpy(entry.body, all->body.ptr, entry.len);
	}
	if (stamped)
		all->bytes += history_index_add(&h->index, from, entry.seq, m.number,
		    &entry.sender);
	history_push(h, &entry);
	touch(h);
	history_trim(h, m.at);
	while (all->settings.max_bytes && all->bytes > all->settings.max_bytes && all->oldest)
		history_drop(all->oldest);
	return 0;
}

bool
history_get(struct history *h, uint64_t number, struct history_message *m)
{
	const struct entry *entry;

	if (number < h->first || number >= h->first + h->n)
		return false;
	entry = entry_of(h, number);
	if (h->all->folder < 0)
		return history_body_read((struct slice){entry->body, entry->len}, m);
	buf_reset(&h->all->body);
	return history_file_read(h, entry, &h->all->body) &&
	    history_body_read(buf_slice(&h->all->body), m);
}

uint64_t
history_epoch(const struct history *h)
{
	return h->epoch;
}

uint64_t
history_first(const struct history *h)
{
	return h->n ? h->first : 0;
}

uint64_t
history_last(const struct history *h)
{
	return h->n ? h->first + h->n - 1 : 0;
}

uint64_t
history_since(const struct history *h, int64_t since)
{
	uint64_t low = h->first, high = h->first + h->n;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (entry_of(h, middle)->at < since)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
history_shape(const struct history *h)
{
	return h->epoch + h->index.shape;
}

bool
history_sender(const struct history *h, size_t *cursor, struct slice *from, uint64_t *last)
{
	for (; *cursor < h->index.table.size; ++*cursor) {
		const struct table_slot *slot = &h->index.table.slots[*cursor];
		const struct sender *s = (const struct sender *)(uintptr_t)slot->value;

		if (slot->hash == 0 || s->n == 0)
			continue;
		*from = (struct slice){s->name, s->len};
		*last = s->v[s->head + s->n - 1].seq;
		++*cursor;
		return true;
	}
	return false;
}

bool
history_seek(const struct history *h, struct slice from, uint64_t from_seq, uint64_t *seq,
    uint64_t *number)
{
	const struct sender *s = history_index_find(&h->index, from);
	size_t at = s ? history_index_seek(s, from_seq) : 0;

	if (s == NULL || at >= s->n)
		return false;
	*seq = s->v[s->head + at].seq;
	*number = s->v[s->head + at].number;
	return true;
}

/* ---- all of them ---- */

struct histories *
histories_open(const struct histories_settings *settings, struct err *e)
{
	struct histories *all = xcalloc(1, sizeof(*all));

	all->settings = *settings;
	all->folder = all->lock = all->compact_fd = -1;
	if (settings->folder && history_load(all, e) != 0) {
		histories_close(all);
		return NULL;
	}
	return all;
}

int64_t
histories_turn(struct histories *all, int64_t now)
{
	int64_t wall = time_now(), due = all->folder < 0 ? -1 : history_file_turn(all, now);

	if (all->empty > 64 + all->n / 2)
		tidy(all);
	if (all->settings.ms == 0 || all->n == 0)
		return due;
	if (now - all->looked >= LOOK_MS) {
		all->looked = now;
		for (size_t i = 0; i < LOOK_TOPICS && i < all->n; i++)
			history_trim(all->topics[all->cursor++ % all->n], wall);
	}
	return time_least(due, LOOK_MS);
}

void
histories_close(struct histories *all)
{
	if (all == NULL)
		return;
	history_compact_stop(all);
	history_file_settle(all);
	for (size_t i = 0; i < all->n; i++)
		history_free(all->topics[i]);
	if (all->folder >= 0)
		close(all->folder);
	if (all->lock >= 0)
		close(all->lock);
	table_free(&all->table);
	free(all->topics);
	buf_free(&all->body);
	buf_free(&all->from);
	free(all);
}

size_t
histories_bytes(const struct histories *all)
{
	return all->bytes;
}

size_t
histories_topics(const struct histories *all)
{
	return all->n - all->empty;
}

uint64_t
histories_failures(const struct histories *all)
{
	return all->failures;
}
