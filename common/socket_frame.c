/*
 * Frames, and the queues through which they leave. A frame's bytes are what a
 * server puts on the wire; a message that is larger than one write is cut into
 * fragments (RFC 6455 section 5.4), so that a pong can go between them and nothing is copied
 * for long.
 */
#include "common/socket_part.h"

#include "common/crypto.h"
#include "common/mem.h"

#include <sys/socket.h>

enum {
	FIN = 0x80,
	CONTINUATION = 0,
	TEXT = 1,
	BINARY = 2,
	CLOSE = 8,
	HEADER = 4, /* bytes of the header of all but the smallest frames */
	PAYLOAD = SOCKET_PIECE - HEADER,
	WRITES = 16, /* a turn for each connection */
};

static size_t alive; /* bytes of all frames; there is one loop a process */

static unsigned char *
put_header(unsigned char *at, unsigned first, size_t len)
{
	*at++ = (unsigned char)first;
	if (len < 126) {
		*at++ = (unsigned char)len;
		return at;
	}
	*at++ = 126;
	*at++ = (unsigned char)(len >> 8);
	*at++ = (unsigned char)(len & 0xff);
	return at;
}

/* As every fragment but the last has SOCKET_PIECE bytes, their places need not be kept. */
static struct socket_frame *
frame_of(struct slice text, unsigned char opcode)
{
	size_t pieces = text.len / PAYLOAD + 1;
	struct socket_frame *f = xmalloc(sizeof(*f) + text.len + pieces * HEADER);
	unsigned char *at = f->bytes;
	unsigned code = opcode;

	f->count = 1;
	f->opcode = opcode;
	while (text.len > PAYLOAD) {
		at = put_header(at, code, PAYLOAD);
		memcpy(at, text.ptr, PAYLOAD);
		at += PAYLOAD;
		text.ptr += PAYLOAD;
		text.len -= PAYLOAD;
		code = CONTINUATION;
	}
	at = put_header(at, FIN | code, text.len);
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	f->len = (size_t)(at + text.len - f->bytes);
	alive += sizeof(*f) + f->len;
	return f;
}

struct socket_frame *
socket_frame(struct slice text, bool binary)
{
	return frame_of(text, binary ? BINARY : TEXT);
}

void
socket_frame_free(struct socket_frame *f)
{
	if (f == NULL || --f->count > 0)
		return;
	alive -= sizeof(*f) + f->len;
	free(f);
}

size_t
socket_frames(void)
{
	return alive;
}

/* ---- the queue ---- */

void
socket_queue_start(struct socket *s)
{
	s->frames = &s->one;
	s->size = 1;
	s->head = 0;
}

static void
grow(struct socket *s)
{
	uint32_t size = s->size > 1 ? s->size * 2 : 4;
	struct socket_frame **grown = xreallocarray(NULL, size, sizeof(*grown));

	for (uint32_t i = 0; i < s->used; i++)
		grown[i] = s->frames[(s->head + i) & (s->size - 1)];
	if (s->frames != &s->one)
		free(s->frames);
	s->frames = grown;
	s->size = size;
	s->head = 0;
}

static void
push(struct socket *s, struct socket_frame *f)
{
	if (s->used == s->size)
		grow(s);
	s->frames[(s->head + s->used++) & (s->size - 1)] = f;
	f->count++;
	s->queued += f->len;
	s->full = true;
	if (lws_dll2_is_detached(&s->dirty))
		lws_dll2_add_tail(&s->dirty, &s->loop->dirty);
}

/* An idle connection holds no memory for its queue. */
static void
pop(struct socket *s)
{
	struct socket_frame *f = s->frames[s->head];

	s->head = (s->head + 1) & (s->size - 1);
	s->offset = 0;
	if (--s->used == 0 && s->frames != &s->one) {
		free(s->frames);
		socket_queue_start(s);
	}
	socket_frame_free(f);
}

void
socket_drop_queue(struct socket *s)
{
	while (s->used > 0)
		pop(s);
	s->queued = 0;
}

void
socket_send(struct socket *s, struct socket_frame *f)
{
	char text[64];

	if (s->state != SOCKET_OPENING && s->state != SOCKET_OPEN)
		return;
	/* One frame is let through whatever its size, or it could never be sent. */
	if (s->queued > 0 && s->queued + f->len > s->max_queue) {
		snprintf(text, sizeof(text), "too slow: %zu bytes wait", s->queued);
		socket_expel(s, SOCKET_SLOW, 1013, slice(text));
		return;
	}
	push(s, f);
}

void
socket_say(struct socket *s, struct slice text, bool binary)
{
	struct socket_frame *f = socket_frame(text, binary);

	socket_send(s, f);
	socket_frame_free(f);
}

size_t
socket_queued(const struct socket *s)
{
	return s->queued;
}

void
socket_queue_close(struct socket *s, int code, struct slice reason)
{
	char bytes[2 + SOCKET_REASON];
	size_t n = reason.len < SOCKET_REASON ? reason.len : SOCKET_REASON;
	struct socket_frame *f;

	bytes[0] = (char)(code >> 8);
	bytes[1] = (char)(code & 0xff);
	if (n > 0)
		memcpy(bytes + 2, reason.ptr, n);
	/* A reason that is cut, or was none, stays UTF-8. */
	n = utf8_valid(bytes + 2, n);
	f = frame_of((struct slice){bytes, n + 2}, CLOSE);
	push(s, f);
	socket_frame_free(f);
}

/* ---- leaving ---- */

static size_t
piece(const struct socket *s)
{
	size_t left = s->frames[s->head]->len - s->offset;

	return left < SOCKET_PIECE ? left : SOCKET_PIECE;
}

/* Bytes of the first frame have left. */
static void
advance(struct socket *s, size_t n)
{
	struct socket_frame *f = s->frames[s->head];

	s->offset += n;
	s->queued -= n;
	s->loop->counts.bytes_out += n;
	if (s->offset < f->len)
		return;
	if (f->opcode == CLOSE)
		s->said = true;
	else
		s->loop->counts.messages_out++;
	pop(s);
}

/*
 * Past lws where no TLS stands between: it would hand on what is raw as it is, for a twentieth
 * of what a delivery costs. What the kernel does not take at once goes to lws, which keeps it.
 */
static int
write_raw(struct socket *s, unsigned char *bytes, size_t n)
{
	ssize_t got = s->fd >= 0 ? send(s->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

	if (got == (ssize_t)n)
		return 0;
	if (got > 0) {
		bytes += got;
		n -= (size_t)got;
	}
	return lws_write(s->wsi, bytes, n, LWS_WRITE_RAW);
}

/* One write of as many whole frames as fit; 0, or less when the connection is broken. */
static int
write_server(struct socket *s)
{
	unsigned char *out = s->loop->out + LWS_PRE;
	size_t n = 0, more = piece(s);
	int result;

	/* One alone is written from where it is: lws writes nothing into what is raw. */
	if (s->used == 1 || more == SOCKET_PIECE) {
		result = write_raw(s, s->frames[s->head]->bytes + s->offset, more);
		advance(s, more);
		return result;
	}
	while (s->used > 0 && n + (more = piece(s)) <= SOCKET_PIECE) {
		memcpy(out + n, s->frames[s->head]->bytes + s->offset, more);
		n += more;
		advance(s, more);
	}
	return write_raw(s, out, n);
}

/* lws offers close frames only as an end that it makes itself, so this one is masked here. */
static int
write_client_close(struct socket *s)
{
	struct socket_frame *f = s->frames[s->head];
	unsigned char out[2 + 4 + 2 + SOCKET_REASON];
	size_t n = f->len - 2;

	out[0] = f->bytes[0];
	out[1] = 0x80 | f->bytes[1];
	crypto_random(out + 2, 4);
	for (size_t i = 0; i < n; i++)
		out[6 + i] = f->bytes[2 + i] ^ out[2 + i % 4];
	advance(s, f->len);
	return lws_write(s->wsi, out, 6 + n, LWS_WRITE_RAW);
}

/* A client's frames are masked, each with a mask of its own (section 5.3): lws does it. */
static int
write_client(struct socket *s)
{
	struct socket_frame *f = s->frames[s->head];
	unsigned char *out = s->loop->out + LWS_PRE;
	size_t all = piece(s), header = (f->bytes[s->offset + 1] & 0x7f) < 126 ? 2 : HEADER;
	int how = f->opcode == BINARY ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;

	if (f->opcode == CLOSE)
		return write_client_close(s);
	if (s->offset > 0)
		how = LWS_WRITE_CONTINUATION;
	if (!(f->bytes[s->offset] & FIN))
		how |= LWS_WRITE_NO_FIN;
	memcpy(out, f->bytes + s->offset + header, all - header);
	advance(s, all);
	return lws_write(s->wsi, out, all - header, (enum lws_write_protocol)how);
}

void
socket_flush(struct socket *s)
{
	int turns = s->listener ? WRITES : WRITES * WRITES;

	lws_dll2_remove(&s->dirty);
	if (s->wsi == NULL || s->mute || s->state == SOCKET_OPENING)
		return;
	while (s->used > 0 && turns-- > 0 && !lws_partial_buffered(s->wsi)) {
		if ((s->listener ? write_server(s) : write_client(s)) < 0) {
			s->mute = true;
			socket_kill(s->wsi);
			socket_over(s, SOCKET_CUT, 0, S("the connection broke"));
			return;
		}
	}
	if (s->used > 0 || lws_partial_buffered(s->wsi)) {
		lws_callback_on_writable(s->wsi);
	} else if (s->full) {
		s->full = false;
		if (s->events->drained && s->state == SOCKET_OPEN) {
			s->loop->told++;
			s->events->drained(s, s->caller);
		}
	}
}
