/*
 * A message as bytes, in memory and on disk alike, little-endian:
 *
 *	u64 number, i64 at, u8 flags (1 JSON, 2 user, 4 whole), u16 length of event,
 *	u32 length of meta, event, meta, payload
 *
 * What is read comes from a file that anybody may have written to.
 */
#include "common/json.h"
#include "tools/collab/history_part.h"

#include <endian.h>

enum { BODY_HEAD = 8 + 8 + 1 + 2 + 4, FLAG_JSON = 1, FLAG_USER = 2, FLAG_WHOLE = 4 };

static void
put(struct buf *b, uint64_t value, size_t bytes)
{
	uint64_t little = htole64(value);

	buf_add(b, &little, bytes);
}

static uint64_t
get(const char **at, size_t bytes)
{
	uint64_t little = 0;

	memcpy(&little, *at, bytes);
	*at += bytes;
	return le64toh(little);
}

void
history_body_write(struct buf *out, const struct history_message *m)
{
	buf_reset(out);
	put(out, m->number, 8);
	put(out, (uint64_t)m->at, 8);
	put(out, (m->json ? FLAG_JSON : 0u) | (m->user ? FLAG_USER : 0u) |
	    (m->whole ? FLAG_WHOLE : 0u), 1);
	put(out, m->event.len, 2);
	put(out, m->meta.len, 4);
	buf_addslice(out, m->event);
	buf_addslice(out, m->meta);
	buf_addslice(out, m->payload);
}

bool
history_body_read(struct slice body, struct history_message *m)
{
	const char *at = body.ptr;
	size_t event, meta, rest = body.len - BODY_HEAD;
	uint64_t flags;

	if (body.len < BODY_HEAD)
		return false;
	*m = (struct history_message){.number = get(&at, 8)};
	m->at = (int64_t)get(&at, 8);
	flags = get(&at, 1);
	event = (size_t)get(&at, 2);
	meta = (size_t)get(&at, 4);
	if (flags & ~(uint64_t)(FLAG_JSON | FLAG_USER | FLAG_WHOLE) || event > rest ||
	    meta > rest - event)
		return false;
	m->json = flags & FLAG_JSON;
	m->user = flags & FLAG_USER;
	m->whole = flags & FLAG_WHOLE;
	m->event = (struct slice){at, event};
	m->meta = (struct slice){at + event, meta};
	m->payload = (struct slice){at + event + meta, rest - event - meta};
	/* The rest of the hub trusts its JSON. */
	return (!m->json || json_check(m->payload, NULL) == 0) &&
	    (meta == 0 || (json_check(m->meta, NULL) == 0 && json_type(m->meta) == JSON_OBJECT));
}

bool
history_stamp(struct slice payload, struct buf *from, uint64_t *seq, bool *again)
{
	struct json_walk walk = json_walk(slice_trim(payload));
	struct slice key, value;
	long long version = 0, number = 0;
	bool named = false;

	/* Nearly all that is none ends here, without being walked. */
	if (memmem(payload.ptr, payload.len, "\"kandil\"", 8) == NULL)
		return false;
	buf_reset(from);
	*again = false;
	while (json_member(&walk, &key, &value)) {
		if (json_is(key, "kandil")) {
			if (!json_long(value, &version))
				return false;
		} else if (json_is(key, "from")) {
			buf_reset(from);
			named = json_text(value, from);
		} else if (json_is(key, "seq")) {
			if (!json_long(value, &number))
				return false;
		} else if (json_is(key, "again")) {
			*again = json_type(value) == JSON_TRUE;
		}
	}
	*seq = (uint64_t)number;
	return version == 1 && number > 0 && named && from->len && from->len <= HISTORY_FROM;
}
