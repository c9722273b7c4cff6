/*
 * history: whatever is put and restarted, what is kept is the newest of what was put, whole and
 * in order, and found by number, time and sender.
 */
#include "tools/collab/history.h"

#include "common/time.h"
#include "tests/unit/history_folder.h"

#include <sys/syscall.h>

/* ---- time ---- */

enum { DAY = 24 * 3600 * 1000 };

/* How far the wall clock is ahead of the machine's, ms. */
static int64_t ahead;

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, out);

	if (rc == 0 && clock == CLOCK_REALTIME)
		out->tv_sec += ahead / 1000;
	return rc;
}

/* All that was said a day ago is too old now: and nothing is left of what it took. */
static void
expire(struct histories *all)
{
	int64_t now = time_ms();

	ahead += DAY + 1000;
	for (int i = 0; histories_topics(all) && i < 1000; i++)
		histories_turn(all, now += 2000);
	CHECK(histories_topics(all) == 0 && histories_bytes(all) == 0);
}

/* ---- against a model ---- */

enum { TOPICS = 5, SENDERS = 4, PUTS = 4000 };

struct said {
	unsigned sender; /* SENDERS: none */
	uint64_t seq;
	unsigned id;
};

struct model {
	struct said v[PUTS];
	size_t first, n; /* kept: [first, n) */
};

static struct model models[TOPICS];

static struct slice
topic_name(unsigned topic)
{
	static char name[40];

	snprintf(name, sizeof(name), "realtime:%s/%u", topic % 2 ? "é /%" : "a.b", topic / 2);
	return slice(name);
}

static void
write_payload(struct buf *out, const struct said *s)
{
	buf_reset(out);
	if (s->sender < SENDERS)
		buf_addf(out, "{\"kandil\":1,\"from\":\"s%u.x\",\"seq\":%llu,\"payload\":",
		    s->sender, (unsigned long long)s->seq);
	buf_addf(out, "{\"id\":%u,\"text\":\"", s->id);
	for (unsigned i = 0; i < s->id % 200; i++)
		buf_addc(out, (char)('a' + i % 26));
	buf_adds(out, s->sender < SENDERS ? "\"}}" : "\"}");
}

/* Whether the sender's seq is there, or all that is there of it is newer. */
static bool
model_refuses(const struct model *m, const struct said *s)
{
	uint64_t lowest = UINT64_MAX;

	if (s->sender == SENDERS)
		return false;
	for (size_t i = m->first; i < m->n; i++) {
		if (m->v[i].sender != s->sender)
			continue;
		if (m->v[i].seq == s->seq)
			return true;
		lowest = m->v[i].seq < lowest ? m->v[i].seq : lowest;
	}
	return lowest != UINT64_MAX && s->seq < lowest;
}

static void
check_sender(const struct history *h, const struct model *m, unsigned sender)
{
	uint64_t from_seq = random_below(300), seq = 0, number = 0, best = 0, last = 0, told = 0;
	char name[20];
	size_t cursor = 0;
	struct slice from;
	bool found;

	for (size_t i = m->first; i < m->n; i++) {
		if (m->v[i].sender != sender)
			continue;
		last = m->v[i].seq > last ? m->v[i].seq : last;
		if (m->v[i].seq >= from_seq && (best == 0 || m->v[i].seq < best))
			best = m->v[i].seq;
	}
	snprintf(name, sizeof(name), "s%u.x", sender);
	found = history_seek(h, slice(name), from_seq, &seq, &number);
	CHECK(found == (best != 0));
	CHECK(!found || (seq == best && m->v[number - 1].seq == best));
	while (history_sender(h, &cursor, &from, &seq))
		if (slice_is(from, name))
			told = seq;
	CHECK(told == last);
}

static void
check_topic(struct histories *all, unsigned topic)
{
	const struct model *m = &models[topic];
	struct history *h = history_of(all, topic_name(topic), topic % 2, false);
	struct history_message got;
	struct buf want = {0};

	CHECK((h != NULL) == (m->n > m->first));
	if (h == NULL)
		return;
	CHECK(history_first(h) == m->first + 1 && history_last(h) == m->n);
	for (size_t i = m->first; i < m->n; i++) {
		write_payload(&want, &m->v[i]);
		CHECK(history_get(h, i + 1, &got));
		CHECK(got.number == i + 1 && slice_eq(got.payload, buf_slice(&want)) &&
		    slice_is(got.event, "message") && got.json &&
		    got.user == (m->v[i].id % 2 == 0));
	}
	CHECK(!history_get(h, m->first, &got) && !history_get(h, m->n + 1, &got));
	CHECK(history_since(h, 0) == m->first + 1);
	CHECK(history_since(h, time_now() + 100000) == m->n + 1);
	for (unsigned sender = 0; sender < SENDERS; sender++)
		check_sender(h, m, sender);
	buf_free(&want);
}

static void
put_one(struct histories *all, unsigned topic, unsigned id, uint64_t *seqs)
{
	struct model *m = &models[topic];
	struct said s = {random_below(SENDERS + 1), 0, id};
	struct history *h = history_of(all, topic_name(topic), topic % 2, true);
	struct buf payload = {0};
	struct history_message message = {.json = true, .user = id % 2 == 0, .event = S("message")};
	bool refused;

	/* Mostly the next, now and then one again, or one that is late. */
	if (s.sender < SENDERS) {
		uint64_t *seq = &seqs[topic * SENDERS + s.sender];

		s.seq = *seq > 20 && random_below(5) == 0 ? *seq - random_below(20) : ++*seq;
	}
	refused = model_refuses(m, &s);
	write_payload(&payload, &s);
	message.payload = buf_slice(&payload);
	CHECK(history_put(h, &message, &e) == refused);
	if (!refused)
		m->v[m->n++] = s;
	buf_free(&payload);
}

static void
test_model(bool files)
{
	uint64_t seqs[TOPICS * SENDERS] = {0};
	size_t keep = 1 + random_below(60);
	struct histories *all;

	scratch_clear(scratch);
	memset(models, 0, sizeof(models));
	all = open_all(keep, DAY, 0, files);
	for (unsigned id = 0; id < PUTS; id++) {
		unsigned topic = random_below(TOPICS);

		put_one(all, topic, id, seqs);
		if (models[topic].n - models[topic].first > keep)
			models[topic].first = models[topic].n - keep;
		if (random_below(10) == 0)
			histories_turn(all, time_ms() + random_below(3000));
		if (random_below(100) == 0)
			check_topic(all, random_below(TOPICS));
		if (files && random_below(200) == 0) {
			histories_close(all);
			all = open_all(keep, DAY, 0, true);
		}
	}
	for (unsigned topic = 0; topic < TOPICS; topic++)
		check_topic(all, topic);
	expire(all);
	for (unsigned topic = 0; topic < TOPICS; topic++) {
		models[topic].first = models[topic].n;
		check_topic(all, topic);
	}
	histories_close(all);
}

/* ---- what is too much ---- */

static void
test_compaction(void)
{
	struct histories *all;
	struct buf text = {0};
	struct history *h;
	struct history_message m;
	struct stat st;
	off_t most = 0;

	scratch_clear(scratch);
	all = open_all(100, 0, 0, true);
	for (int i = 0; i < 3000; i++) {
		buf_reset(&text);
		buf_addf(&text, "{\"n\":%d,\"pad\":\"%0*d\"}", i, 2000, 0);
		put_text(all, "realtime:x", text.ptr);
		if (i % 3 == 0)
			histories_turn(all, time_ms());
		if (stat(file_of(".history"), &st) == 0 && st.st_size > most)
			most = st.st_size;
		if (i == 1500) {
			histories_close(all);
			all = open_all(100, 0, 0, true);
		}
	}
	/* 100 of 2 KB are 200 KB: never much above twice that, and what is worth a copy. */
	CHECK(most > 300000 && most < 600000);
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 2901 && history_last(h) == 3000);
	for (uint64_t number = 2901; h && number <= 3000; number++) {
		buf_reset(&text);
		buf_addf(&text, "{\"n\":%d,\"pad\":\"%0*d\"}", (int)number - 1, 2000, 0);
		CHECK(history_get(h, number, &m) && slice_eq(m.payload, buf_slice(&text)));
	}
	histories_close(all);
	CHECK(file_of(".new") == NULL);
	buf_free(&text);
}

/* Of all memory the topics that were silent longest give up theirs first. */
static void
test_memory(bool files)
{
	enum { MOST = 200000 };
	struct histories *all;
	char topic[40], text[300];
	struct history *h;

	scratch_clear(scratch);
	all = open_all(0, 1000000, MOST, files);
	for (int i = 0; i < 2000; i++) {
		snprintf(topic, sizeof(topic), "realtime:%d", i);
		snprintf(text, sizeof(text), "{\"pad\":\"%0200d\"}", i);
		put_text(all, topic, text);
		if (i % 20 == 0)
			put_text(all, "realtime:busy", text);
		CHECK(histories_bytes(all) <= MOST);
		if (i % 50 == 0)
			histories_turn(all, time_ms());
	}
	CHECK(history_of(all, S("realtime:0"), false, false) == NULL);
	CHECK(history_of(all, S("realtime:1999"), false, false) != NULL);
	h = history_of(all, S("realtime:busy"), false, false);
	CHECK(h != NULL && history_first(h) == 1 && history_last(h) == 100);
	histories_turn(all, time_ms());
	CHECK(histories_topics(all) > 10 && histories_topics(all) < 1000);
	histories_close(all);
}

/* Topics that came and went, with senders of their own, take nothing from those that come. */
static void
test_gone(bool files)
{
	enum { ROUNDS = 8, GONE = 300, KEEP = 40, MOST = 200000 };
	struct histories *all;
	char topic[40], text[80];
	struct history *h;

	scratch_clear(scratch);
	all = open_all(KEEP, DAY, MOST, files);
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < GONE; i++) {
			snprintf(topic, sizeof(topic), "realtime:%d.%u", round, i);
			for (unsigned n = random_below(4); n < 4; n++) {
				snprintf(text, sizeof(text),
				    "{\"kandil\":1,\"from\":\"%u.%u\",\"seq\":%u}", i,
				    n % 2, n + 1);
				put_text(all, topic, text);
				put_text(all, "realtime:busy", text);
			}
		}
		h = history_of(all, slice(topic), false, false);
		CHECK(h != NULL && history_last(h) > 0);
		h = history_of(all, S("realtime:busy"), false, false);
		CHECK(h != NULL && history_last(h) - history_first(h) == KEEP - 1);
		expire(all);
	}
	histories_close(all);
	ahead = 0;
}

/*
 * In a topic that was silent and is spoken in again a cursor through its senders is told that they
 * are others.
 */
static void
test_shape(void)
{
	struct histories *all = open_all(0, DAY, 0, false);
	struct history *h;
	uint64_t shape;

	put_text(all, "realtime:x", "{\"kandil\":1,\"from\":\"a\",\"seq\":1}");
	h = history_of(all, S("realtime:x"), false, true);
	shape = history_shape(h);
	expire(all);
	put_text(all, "realtime:x", "{\"kandil\":1,\"from\":\"b\",\"seq\":1}");
	h = history_of(all, S("realtime:x"), false, true);
	CHECK(history_shape(h) != shape);
	histories_close(all);
	ahead = 0;
}

static void
test_age(void)
{
	enum { KEPT = 600000, MOST = KEPT * 2 / 3 }; /* what is kept, and most of it: ms */
	struct histories *all;
	struct history *h;

	scratch_clear(scratch);
	all = open_all(0, KEPT, 0, true);
	put_text(all, "realtime:x", "1");
	ahead += MOST;
	put_text(all, "realtime:x", "2");
	ahead += MOST;
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 2 && history_last(h) == 2);
	ahead += KEPT;
	histories_turn(all, time_ms() + 2000);
	CHECK(histories_topics(all) == 0 && histories_bytes(all) == 0);
	CHECK(file_of(".history") == NULL);
	put_text(all, "realtime:x", "3");
	h = history_of(all, S("realtime:x"), false, false);
	CHECK(h != NULL && history_first(h) == 1);
	histories_close(all);
	ahead += KEPT + 1000;
	all = open_all(0, KEPT, 0, true);
	CHECK(histories_topics(all) == 0 && file_of(".history") == NULL);
	histories_close(all);
	ahead = 0;
}

/* ---- many, and what a message is ---- */

static void
test_many(void)
{
	enum { MANY = 600 };
	struct histories *all;
	char topic[300];
	struct history *h;
	struct history_message m;

	scratch_clear(scratch);
	all = open_all(10, 0, 0, true);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			/* Long names are hashed, and tell each other apart by their ends only. */
			snprintf(topic, sizeof(topic), "realtime:%0*d", i % 2 ? 250 : 3, i);
			put_text(all, topic, round == 0 ? "0" : round == 1 ? "1" : "2");
		}
		histories_turn(all, time_ms() + 1500 * round);
		if (round == 1) {
			histories_close(all);
			all = open_all(10, 0, 0, true);
		}
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(topic, sizeof(topic), "realtime:%0*d", i % 2 ? 250 : 3, i);
		h = history_of(all, slice(topic), false, false);
		CHECK(h != NULL && history_last(h) == 3);
		CHECK(h != NULL && history_get(h, 2, &m) && slice_is(m.payload, "1"));
	}
	/* Another process may not have the folder. */
	{
		struct histories_settings settings = {10, 0, 0, scratch};

		CHECK(histories_open(&settings, &e) == NULL);
		CHECK_TEXT(e.code, "in_use");
	}
	histories_close(all);
}

static void
test_stamp(void)
{
	static const struct {
		const char *text;
		bool good, again;
		uint64_t seq;
	} rows[] = {
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":7,\"payload\":{}}", true, false, 7},
	    {" { \"seq\":8 , \"again\":true,\"from\":\"\\u0061.b\",\"kandil\":1}", true, true, 8},
	    {"{\"kandil\":2,\"from\":\"a.b\",\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":0}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":-1}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":1.5}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"a.b\",\"seq\":99999999999999999999}", false, false, 0},
	    {"{\"kandil\":1,\"from\":\"\",\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"from\":7,\"seq\":7}", false, false, 0},
	    {"{\"kandil\":1,\"seq\":7}", false, false, 0},
	    {"[\"kandil\"]", false, false, 0},
	    {"{\"a\":{\"kandil\":1,\"from\":\"a.b\",\"seq\":7}}", false, false, 0},
	};
	struct buf from = {0};
	uint64_t seq;
	bool again;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool good = history_stamp(slice(rows[i].text), &from, &seq, &again);

		if (good != rows[i].good)
			fprintf(stderr, "%s\n", rows[i].text);
		CHECK(good == rows[i].good);
		CHECK(!good || (again == rows[i].again && seq == rows[i].seq));
		if (good)
			CHECK_TEXT(from.ptr, "a.b");
	}
	buf_free(&from);
}

int
main(void)
{
	scratch_begin();
	for (int i = 0; i < 3; i++) {
		test_model(false);
		test_model(true);
	}
	test_compaction();
	test_memory(false);
	test_memory(true);
	test_gone(false);
	test_gone(true);
	test_shape();
	test_age();
	test_many();
	test_stamp();
	return history_done();
}
