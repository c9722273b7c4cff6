/*
 * Binary frames, kinds 0 to 4: a kind, lengths of one byte each, for kinds 3
 * and 4 an encoding, then the fields one behind the other; the last runs to the end.
 */
#include "tools/collab/frame.h"

#include "common/json.h"

enum { FIELD_MAX = 255, FIELDS = 5 };

/* Which fields a kind has, in the order of its header. */
struct layout {
	enum frame_form form;
	bool encoded; /* an encoding byte behind the lengths */
	size_t n;
	size_t field[FIELDS]; /* offsets in struct frame */
};

#define JOIN offsetof(struct frame, join_ref)
#define REF offsetof(struct frame, ref)
#define TOPIC offsetof(struct frame, topic)
#define EVENT offsetof(struct frame, event)
#define META offsetof(struct frame, meta)

static const struct layout from_client[] = {
	[0] = {FRAME_PUSH, false, 4, {JOIN, REF, TOPIC, EVENT}},
	[3] = {FRAME_USER_PUSH, true, 5, {JOIN, REF, TOPIC, EVENT, META}},
};
static const struct layout from_hub[] = {
	[0] = {FRAME_PUSH, false, 3, {JOIN, TOPIC, EVENT}},
	[1] = {FRAME_REPLY, false, 4, {JOIN, REF, TOPIC, EVENT}},
	[2] = {FRAME_BROADCAST, false, 2, {TOPIC, EVENT}},
	[4] = {FRAME_USER, true, 3, {TOPIC, EVENT, META}},
};

/* NULL: the side does not send that kind. */
static const struct layout *
layout_of(size_t kind, bool server)
{
	const struct layout *all = server ? from_hub : from_client;
	size_t n = server ? sizeof(from_hub) / sizeof(*from_hub)
			  : sizeof(from_client) / sizeof(*from_client);

	return kind < n && all[kind].n ? &all[kind] : NULL;
}

static int
bad(struct err *e, const char *what)
{
	return err_set(e, "bad_frame", "this is no Phoenix message: %s", what);
}

static int
check_user(struct frame *f, unsigned char encoding, struct err *e)
{
	if (encoding > 1)
		return bad(e, "an encoding other than 0 and 1");
	f->json = encoding == 1;
	if (f->json && json_check(f->payload, NULL) != 0)
		return bad(e, "a payload that says it is JSON and is not");
	if (f->json)
		f->payload = slice_trim(f->payload);
	if (f->meta.len && (json_check(f->meta, NULL) != 0 ||
			       json_type(slice_trim(f->meta)) != JSON_OBJECT))
		return bad(e, "metadata that is no JSON object");
	return 0;
}

int
frame_read_binary(struct slice bytes, bool from_server, struct frame *f, struct err *e)
{
	const unsigned char *head = (const unsigned char *)bytes.ptr;
	const struct layout *l = bytes.len ? layout_of(head[0], from_server) : NULL;
	size_t at;

	if (l == NULL)
		return bad(e, "a binary frame of an unknown kind");
	at = 1 + l->n + l->encoded;
	if (bytes.len < at)
		return bad(e, "a header that is cut short");
	*f = (struct frame){.form = l->form};
	for (size_t i = 0; i < l->n; i++) {
		struct slice *field = (struct slice *)(void *)((char *)f + l->field[i]);
		size_t len = head[1 + i];

		if (bytes.len - at < len)
			return bad(e, "a field that is longer than the frame");
		/* The refs have no other way to say null than to be empty. */
		if (len || l->field[i] == TOPIC || l->field[i] == EVENT)
			*field = (struct slice){bytes.ptr + at, len};
		at += len;
	}
	f->payload = (struct slice){bytes.ptr + at, bytes.len - at};
	return l->encoded ? check_user(f, head[1 + l->n], e) : 0;
}

int
frame_write_binary(struct buf *b, bool from_server, const struct frame *f, struct err *e)
{
	static const size_t kinds[] = {[FRAME_PUSH] = 0, [FRAME_REPLY] = 1, [FRAME_BROADCAST] = 2,
	    [FRAME_USER_PUSH] = 3, [FRAME_USER] = 4};
	const struct layout *l =
	    f->form == FRAME_TEXT ? NULL : layout_of(kinds[f->form], from_server);
	const struct slice *field[FIELDS];

	if (l == NULL)
		return err_set(e, "bad_frame", "this side does not send such a binary frame");
	for (size_t i = 0; i < l->n; i++) {
		field[i] = (const struct slice *)(const void *)((const char *)f + l->field[i]);
		if (field[i]->len > FIELD_MAX)
			return err_set(e, "too_long",
			    "a field of %zu bytes: a binary frame has room for %d", field[i]->len,
			    FIELD_MAX);
	}
	buf_addc(b, (char)kinds[f->form]);
	for (size_t i = 0; i < l->n; i++)
		buf_addc(b, (char)field[i]->len);
	if (l->encoded)
		buf_addc(b, f->json ? 1 : 0);
	for (size_t i = 0; i < l->n; i++)
		buf_addslice(b, *field[i]);
	buf_addslice(b, f->payload);
	return 0;
}
