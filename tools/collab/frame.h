/*
 * frame: Phoenix Channels messages, versions 1 and 2, text and binary, read
 * and written for both sides: the hub's and the client's.
 *
 * A frame that was read lends slices of the bytes given (and of the reader's
 * own buffer); a payload is spliced as it came, never parsed and printed again.
 * Topics and events are bytes, not always UTF-8 (old realtime-js); compare
 * them as bytes. Sources: Phoenix.Socket.V1 and V2.JSONSerializer, Supabase
 * Realtime's RealtimeWeb.Socket.V2Serializer; kinds as named there.
 */
#ifndef KANDIL_COLLAB_FRAME_H
#define KANDIL_COLLAB_FRAME_H

#include "common/buf.h"
#include "common/die.h"

enum frame_form {
	FRAME_TEXT,	 /* any event; payload is JSON */
	FRAME_PUSH,	 /* binary kind 0; payload is bytes */
	FRAME_REPLY,	 /* binary kind 1; event holds the status */
	FRAME_BROADCAST, /* binary kind 2; payload is bytes */
	FRAME_USER_PUSH, /* binary kind 3, client to server: event is the user's */
	FRAME_USER,	 /* binary kind 4, server to client: likewise */
};

/*
 * ptr NULL: null or absent. Decoded: join_ref, ref, topic, event. Raw: payload, meta. A ref
 * that is a number is taken as its text; an empty one of a binary frame is null.
 */
struct frame {
	enum frame_form form;
	struct slice join_ref, ref, topic, event;
	struct slice payload;
	bool json;	   /* payload is a JSON value that json_check accepted */
	struct slice meta; /* kinds 3 and 4: empty, or a JSON object */
};

/* Reused between frames without allocation. Zero-initialised is ready. */
struct frame_reader {
	struct buf text;  /* decoded strings */
	struct buf event; /* frame_is_broadcast's */
};

/*
 * v2: an array of five elements and more; v1: an object with topic, event,
 * payload and ref. Which of the two it is, is seen from the first byte, for
 * phoenix.js writes arrays whatever vsn says; *array (may be NULL) says it.
 * 0, or -1 with e ("bad_frame"), for what does not parse.
 */
int frame_read_text(struct frame_reader *, struct slice, struct frame *, bool *array,
    struct err *e);
/* from_server: kind 0 has a ref from the client and none from the server. */
int frame_read_binary(struct slice, bool from_server, struct frame *, struct err *e);

enum frame_dialect { FRAME_V1 = 1, FRAME_V2 = 2 };

/* Each appends one message. join_ref is not written in v1 by a server. payload: raw JSON. */
void frame_write_text(struct buf *, enum frame_dialect, bool from_server, const struct frame *);
/*
 * Kinds 0 to 4 as form says; -1 with e ("too_long") when a field has more than
 * 255 bytes.
 */
int frame_write_binary(struct buf *, bool from_server, const struct frame *, struct err *e);

/*
 * The text form of a broadcast's payload:
 *	{"event":E,"payload":P,"type":"broadcast"[,"meta":M]}
 * P raw; meta empty: none.
 */
void frame_broadcast(struct buf *, struct slice event, struct slice payload, struct slice meta);
/*
 * The other way: payload of an event "broadcast" taken apart; false: it is none (no object, no
 * string "event", another "type"). Without a "payload" inner is {}. event is the reader's, beside
 * the strings of the frame that payload is of.
 */
bool frame_is_broadcast(struct frame_reader *, struct slice payload, struct slice *event,
    struct slice *inner, struct slice *meta);

void frame_reader_free(struct frame_reader *);

#endif
