/*
 * Text frames: JSON objects (v1) and arrays (v2), and the payload of a
 * broadcast. Written by hand, not by json_open: several messages may follow each
 * other in one buffer, without commas.
 */
#include "tools/collab/frame.h"

#include "common/json.h"

/* Where a decoded string lies in the reader's buffer, which may still move. */
struct place {
	size_t at, len;
	bool here;
};

static int
bad(struct err *e, const char *what)
{
	return err_set(e, "bad_frame", "this is no Phoenix message: %s", what);
}

/* A string; where null is allowed, also null and a number (taken as its text). */
static bool
take(struct frame_reader *r, struct slice value, bool nullable, struct place *out)
{
	*out = (struct place){.at = r->text.len, .here = true};
	if (json_type(value) == JSON_STRING)
		json_text(value, &r->text);
	else if (nullable && json_type(value) == JSON_NUMBER)
		buf_addslice(&r->text, value);
	else if (nullable && json_type(value) == JSON_NULL)
		out->here = false;
	else
		return false;
	out->len = r->text.len - out->at;
	return true;
}

static struct slice
placed(const struct frame_reader *r, struct place p)
{
	return p.here ? (struct slice){r->text.ptr + p.at, p.len} : (struct slice){0};
}

/* The five members, raw; an absent join_ref is null. */
static int
split(struct slice text, bool array, struct slice part[5], struct err *e)
{
	static const char *const names[] = {"join_ref", "ref", "topic", "event", "payload"};
	struct json_walk w = json_walk(text);

	for (size_t i = 0; array && i < 5; i++)
		if (!json_element(&w, &part[i]))
			return bad(e, "an array of fewer than five elements");
	for (size_t i = 0; !array && i < 5; i++)
		if (!json_get(text, names[i], &part[i])) {
			if (i > 0)
				return err_set(e, "bad_frame",
				    "this is no Phoenix message: no member '%s'", names[i]);
			part[i] = S("null");
		}
	return 0;
}

int
frame_read_text(struct frame_reader *r, struct slice text, struct frame *f, bool *array,
    struct err *e)
{
	struct slice part[5];
	struct place place[4];
	enum json_type type;

	if (json_check(text, e) != 0)
		return bad(e, "not JSON");
	text = slice_trim(text);
	type = json_type(text);
	if (array)
		*array = type == JSON_ARRAY;
	if (type != JSON_ARRAY && type != JSON_OBJECT)
		return bad(e, "neither an array nor an object");
	if (split(text, type == JSON_ARRAY, part, e) != 0)
		return -1;
	buf_reset(&r->text);
	buf_room(&r->text, 1);
	for (size_t i = 0; i < 4; i++)
		if (!take(r, part[i], i < 2, &place[i]))
			return bad(e, i < 2 ? "a ref is a string or null"
					    : "topic and event are strings");
	*f = (struct frame){
		.form = FRAME_TEXT,
		.join_ref = placed(r, place[0]),
		.ref = placed(r, place[1]),
		.topic = placed(r, place[2]),
		.event = placed(r, place[3]),
		.payload = part[4],
		.json = true,
	};
	return 0;
}

static void
put(struct buf *b, const char *before, struct slice text)
{
	buf_adds(b, before);
	if (text.ptr)
		json_quote(b, text);
	else
		buf_adds(b, "null");
}

/* The order of the members is Phoenix's, from each side: clients do not care, tests do. */
static void
write_object(struct buf *b, bool from_server, const struct frame *f)
{
	if (from_server) {
		put(b, "{\"event\":", f->event);
		buf_adds(b, ",\"payload\":");
		buf_addslice(b, f->payload);
		put(b, ",\"ref\":", f->ref);
		put(b, ",\"topic\":", f->topic);
	} else {
		put(b, "{\"topic\":", f->topic);
		put(b, ",\"event\":", f->event);
		buf_adds(b, ",\"payload\":");
		buf_addslice(b, f->payload);
		put(b, ",\"ref\":", f->ref);
		if (f->join_ref.ptr)
			put(b, ",\"join_ref\":", f->join_ref);
	}
	buf_addc(b, '}');
}

void
frame_write_text(struct buf *b, enum frame_dialect dialect, bool from_server,
    const struct frame *f)
{
	buf_room(b, f->payload.len + f->topic.len + f->event.len + 64);
	if (dialect == FRAME_V1) {
		write_object(b, from_server, f);
		return;
	}
	put(b, "[", f->join_ref);
	put(b, ",", f->ref);
	put(b, ",", f->topic);
	put(b, ",", f->event);
	buf_addc(b, ',');
	buf_addslice(b, f->payload);
	buf_addc(b, ']');
}

void
frame_broadcast(struct buf *b, struct slice event, struct slice payload, struct slice meta)
{
	buf_adds(b, "{\"event\":");
	json_quote(b, event);
	buf_adds(b, ",\"payload\":");
	buf_addslice(b, payload);
	buf_adds(b, ",\"type\":\"broadcast\"");
	if (meta.len) {
		buf_adds(b, ",\"meta\":");
		buf_addslice(b, meta);
	}
	buf_addc(b, '}');
}

bool
frame_is_broadcast(struct frame_reader *r, struct slice payload, struct slice *event,
    struct slice *inner, struct slice *meta)
{
	struct slice key, value, name = {0};

	*inner = S("{}"); /* realtime-js leaves undefined out */
	*meta = (struct slice){0};
	if (json_type(payload) != JSON_OBJECT)
		return false;
	for (struct json_walk w = json_walk(payload); json_member(&w, &key, &value);) {
		if (json_is(key, "event"))
			name = value;
		else if (json_is(key, "payload"))
			*inner = value;
		else if (json_is(key, "meta") && json_type(value) == JSON_OBJECT)
			*meta = value;
		else if (json_is(key, "type") && !json_is(value, "broadcast"))
			return false;
	}
	if (name.ptr == NULL || json_type(name) != JSON_STRING)
		return false;
	buf_reset(&r->event);
	buf_room(&r->event, 1);
	json_text(name, &r->event);
	*event = buf_slice(&r->event);
	return true;
}

void
frame_reader_free(struct frame_reader *r)
{
	buf_free(&r->text);
	buf_free(&r->event);
}
