/*
 * Counters for Prometheus (text exposition format 0.0.4): how many and how much,
 * never a key, a name or a topic.
 */
#include "common/time.h"
#include "tools/collab/history.h"
#include "tools/collab/hub_part.h"

#include <inttypes.h>

static void
metric(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	buf_addf(out, "# HELP kandil_collab_%s %s\n# TYPE kandil_collab_%s %s\n", name, help, name,
	    type);
	buf_addf(out, "kandil_collab_%s %.17g\n", name, value);
}

static void
counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metric(out, name, "counter", help, (double)value);
}

static void
gauge(struct buf *out, const char *name, const char *help, double value)
{
	metric(out, name, "gauge", help, value);
}

static void
refusals(struct buf *out, const struct metrics *m)
{
	const struct {
		const char *reason;
		uint64_t value;
	} rows[] = {
	    {"key", m->refused_key},
	    {"origin", m->refused_origin},
	    {"limit", m->refused_limit},
	    {"join", m->joins_refused},
	    {"rate", m->over_rate},
	    {"too_large", m->too_large},
	    {"bad_frame", m->bad_frames},
	    {"slow", m->slow},
	    {"rest", m->rest_refused},
	};

	buf_adds(out, "# HELP kandil_collab_refused_total What was refused or dropped, by reason.\n"
		      "# TYPE kandil_collab_refused_total counter\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		buf_addf(out, "kandil_collab_refused_total{reason=\"%s\"} %" PRIu64 "\n",
		    rows[i].reason, rows[i].value);
}

static void
caps(struct buf *out, const struct metrics *m)
{
	buf_adds(out, "# HELP kandil_collab_limited_total What a limit held back, by the limit.\n"
		      "# TYPE kandil_collab_limited_total counter\n");
	for (int i = 0; i < CAPS; i++)
		buf_addf(out, "kandil_collab_limited_total{reason=\"%s\"} %" PRIu64 "\n",
		    cap_name((enum cap)i), m->capped[i]);
}

static void
gauges(struct buf *out, const struct hub *hub)
{
	size_t queued = 0;
	long channels = 0;

	for (const struct conn *c = hub->conns; c; c = c->next) {
		queued += c->socket ? socket_queued(c->socket) : 0;
		channels += c->nchannels;
	}
	gauge(out, "connections", "WebSocket connections that stand.", (double)hub->nconns);
	gauge(out, "channels", "Joined channels.", (double)channels);
	gauge(out, "topics", "Topics that somebody is in.", (double)hub->ntopics);
	gauge(out, "queue_bytes", "Bytes that wait for readers, counted for each of them.",
	    (double)queued);
	gauge(out, "history_bytes", "Memory that the history takes.", (double)hub->history_bytes);
	gauge(out, "history_topics", "Topics of which something is kept.",
	    hub->histories ? (double)histories_topics(hub->histories) : 0);
	gauge(out, "uptime_seconds", "Seconds since the start.",
	    (double)(time_ms() - hub->started) / 1000);
	gauge(out, "draining", "1 while it ends.", hub->draining ? 1 : 0);
}

void
metric_write(struct hub *hub, struct buf *out)
{
	const struct socket_counts *s = sockets_counts(hub->sockets);
	const struct metrics *m = &hub->metrics;

	gauges(out, hub);
	counter(out, "connections_total", "WebSocket connections let in.", m->connections);
	counter(out, "joins_total", "Channels joined.", m->joins);
	counter(out, "broadcasts_total", "Broadcasts taken, by WebSocket and REST.", m->broadcasts);
	counter(out, "deliveries_total", "Broadcasts given to members.", m->deliveries);
	counter(out, "rest_total", "Messages taken over REST.", m->rest);
	counter(out, "presence_calls_total", "Calls of track and untrack.", m->presence_calls);
	counter(out, "replayed_total", "Messages sent again from the history.", m->replayed);
	counter(out, "history_failures_total", "Messages that the history's disk did not take.",
	    hub->histories ? histories_failures(hub->histories) : 0);
	counter(out, "frames_in_total", "WebSocket messages that came.", s->messages_in);
	counter(out, "frames_out_total", "WebSocket messages that went.", s->messages_out);
	counter(out, "bytes_in_total", "Bytes that came.", s->bytes_in);
	counter(out, "bytes_out_total", "Bytes that went.", s->bytes_out);
	refusals(out, m);
	caps(out, m);
}
