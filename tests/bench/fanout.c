/*
 * fanout: one publisher, N subscribers, over WebSockets of several kinds of hub.
 *
 *	fanout KIND PORT PID SUBSCRIBERS IN_FLIGHT SECONDS     IN_FLIGHT messages at once
 *	fanout KIND PORT PID SUBSCRIBERS rate SECONDS          ten messages a second
 *
 * KIND is kandil, ws (forwards what comes), nats or mqtt. Payloads are 200 bytes and
 * begin with a mark, by which deliveries are counted in the bytes as they come, whatever the
 * framing around them: the load costs the same for each hub. One line of JSON comes
 * out: deliveries, seconds, deliveries a second, microseconds of the CPU of process PID a
 * delivery, its resident bytes a connection, latencies in ms.
 */
#include "fanout.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <time.h>

enum { PAYLOAD = 200, MARK = 8, STAMP = 16, WARM = 20, BATCH = 64 };

static const char mark[MARK + 1] = "@kandil@";

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct kind {
	const char *name, *path, *protocol;
	/* What a subscriber says when it is connected, and what must be answered to go on. */
	size_t (*join)(char *out, int i);
	const char *joined;
	size_t (*publish)(char *out, const char *payload);
};

static size_t
kandil_join(char *out, int i)
{
	static const char text[] = "[\"1\",\"1\",\"realtime:bench\",\"phx_join\",{\"config\":{\"broadcast\":"
				   "{\"ack\":false,\"self\":false},\"presence\":{\"enabled\":false},\"private\":false}}]";

	(void)i;
	return frame(out, text, sizeof(text) - 1, 1, true);
}

static size_t
kandil_publish(char *out, const char *payload)
{
	char f[PAYLOAD + 64];
	size_t n = 0;

	/* kind 3: lengths of join_ref, ref, topic, event, metadata; encoding JSON */
	memcpy(f, "\003\001\001\016\005\000\001" "1" "2" "realtime:bench" "agent" "\"", 29);
	n = 29;
	memcpy(f + n, payload, PAYLOAD);
	n += PAYLOAD;
	f[n++] = '"';
	return frame(out, f, n, 2, true);
}

static size_t
ws_join(char *out, int i)
{
	(void)i;
	(void)out;
	return 0;
}

static size_t
ws_publish(char *out, const char *payload)
{
	return frame(out, payload, PAYLOAD, 1, true);
}

static size_t
nats_join(char *out, int i)
{
	static const char head[] = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n";
	static const char text[] = "SUB bench 1\r\n", tail[] = "PING\r\n";
	char all[sizeof(head) + sizeof(text) + sizeof(tail)];
	int n = snprintf(all, sizeof(all), "%s%s%s", head, i > 0 ? text : "", tail);

	return frame(out, all, (size_t)n, 2, true);
}

static size_t
nats_publish(char *out, const char *payload)
{
	char f[PAYLOAD + 64];
	int n = snprintf(f, sizeof(f), "PUB bench %d\r\n%.*s\r\n", PAYLOAD, PAYLOAD, payload);

	return frame(out, f, (size_t)n, 2, true);
}

static size_t
mqtt_join(char *out, int i)
{
	char f[64];
	int n;
	size_t at;

	/* CONNECT: MQTT 3.1.1, clean session, keep alive 0 */
	memcpy(f, "\020\024\000\004MQTT\004\002\000\000\000\010", 14);
	n = snprintf(f + 14, sizeof(f) - 14, "b%07d", i);
	at = frame(out, f, 14 + (size_t)n, 2, true);
	if (i > 0) /* SUBSCRIBE, packet 1, topic bench, QoS 0 */
		at += frame(out + at, "\202\012\000\001\000\005bench\000", 12, 2, true);
	return at;
}

static size_t
mqtt_publish(char *out, const char *payload)
{
	char f[PAYLOAD + 16];

	/* PUBLISH, QoS 0: the length is 207 in two bytes */
	memcpy(f, "\060\317\001\000\005bench", 10);
	memcpy(f + 10, payload, PAYLOAD);
	return frame(out, f, 10 + PAYLOAD, 2, true);
}

static const struct kind kinds[] = {
    {"kandil", "/realtime/v1/websocket?vsn=2.0.0", NULL, kandil_join, "\"status\":\"ok\"",
	kandil_publish},
    {"ws", "/", NULL, ws_join, NULL, ws_publish},
    {"nats", "/", NULL, nats_join, "PONG", nats_publish},
    {"mqtt", "/", "mqtt", mqtt_join, "\220\003", mqtt_publish},
};

struct sub {
	int fd;
	size_t tail; /* bytes kept of the last read: a mark may be cut in two */
	char rest[MARK + STAMP];
};

static double
cpu_us(int pid)
{
	char name[64], text[1024], *at;
	unsigned long user, sys;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	f = fopen(name, "r");
	if (f == NULL || fgets(text, sizeof(text), f) == NULL || (at = strrchr(text, ')')) == NULL)
		fail(name);
	fclose(f);
	if (sscanf(at + 2, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &sys) != 2)
		fail(name);
	return (double)(user + sys) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double
rss(int pid)
{
	char name[64];
	unsigned long pages = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/statm", pid);
	f = fopen(name, "r");
	if (f == NULL || fscanf(f, "%*s %lu", &pages) != 1)
		fail(name);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
say(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t got = send(fd, bytes, n, MSG_NOSIGNAL);

		if (got < 0 && errno == EAGAIN)
			continue;
		if (got <= 0)
			fail("send");
		bytes += got;
		n -= (size_t)got;
	}
}

/* Reads until text has come: connecting blocks. */
static void
await(int fd, const char *text)
{
	char got[4096];
	size_t n = 0;

	do {
		ssize_t more = recv(fd, got + n, sizeof(got) - n, 0);

		if (more <= 0 || (n += (size_t)more) == sizeof(got)) {
			fprintf(stderr, "fanout: no '%s' in '%.*s'\n", text, (int)n, got);
			exit(3);
		}
	} while (memmem(got, n, text, strlen(text)) == NULL);
}

/* Connects n, a step of all of them at a time: some hubs answer once in 100 ms. */
static void
connect_some(const struct kind *k, int port, int first, struct sub *subs, int n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char out[1024];
	int len;

	for (int i = 0; i < n; i++) {
		subs[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(subs[i].fd, (struct sockaddr *)&a, sizeof(a)) < 0)
			fail("connect");
		len = snprintf(out, sizeof(out), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		    "%s%s%s\r\n", k->path, port, k->protocol ? "Sec-WebSocket-Protocol: " : "",
		    k->protocol ? k->protocol : "", k->protocol ? "\r\n" : "");
		say(subs[i].fd, out, (size_t)len);
	}
	for (int i = 0; i < n; i++) {
		await(subs[i].fd, "\r\n\r\n");
		say(subs[i].fd, out, k->join(out, first + i));
	}
	for (int i = 0; i < n; i++) {
		if (k->joined && (first + i > 0 || strcmp(k->name, "mqtt") != 0))
			await(subs[i].fd, k->joined);
		quick(subs[i].fd);
	}
}

static int64_t *late;
static size_t nlate, late_cap;

static void
note_late(int64_t us)
{
	if (nlate == late_cap) {
		late_cap = late_cap ? late_cap * 2 : 1 << 16;
		late = realloc(late, late_cap * sizeof(*late));
		if (late == NULL)
			fail("memory");
	}
	late[nlate++] = us;
}

/* Counts the marks in what has come, and notes how old they are. */
static size_t
deliveries(struct sub *s, bool timed)
{
	static char in[READ + sizeof(s->rest)];
	size_t found = 0, len;
	char *at = in, *end;
	ssize_t n;

	memcpy(in, s->rest, s->tail);
	n = recv(s->fd, in + s->tail, READ, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("a subscriber was dropped");
	len = s->tail + (n > 0 ? (size_t)n : 0);
	end = in + len;
	for (char *hit; (hit = memmem(at, (size_t)(end - at), mark, MARK)) != NULL &&
	     end - hit >= MARK + STAMP; at = hit + MARK + STAMP) {
		found++;
		if (timed) {
			hit[MARK + STAMP - 1] = '\0';
			note_late(now_us() - strtoll(hit + MARK, NULL, 10));
		}
	}
	s->tail = (size_t)(end - at) < sizeof(s->rest) ? (size_t)(end - at) : sizeof(s->rest);
	memcpy(s->rest, end - s->tail, s->tail);
	return found;
}

static void
publish(const struct kind *k, int fd)
{
	char payload[PAYLOAD + 1], out[PAYLOAD + 128];

	memset(payload, 'x', PAYLOAD);
	memcpy(payload, mark, MARK);
	snprintf(payload + MARK, STAMP, "%0*lld", STAMP - 1, (long long)now_us());
	payload[MARK + STAMP - 1] = ' ';
	say(fd, out, k->publish(out, payload));
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
load(const struct kind *k, int port, int pid, int n, int in_flight, double seconds)
{
	struct sub *subs = take((size_t)n * sizeof(*subs)), own;
	int poll = epoll_create1(0), publisher, got;
	struct epoll_event events[1024];
	double before = rss(pid), memory, cpu = 0;
	int64_t start = 0, end = 0, next = 0, waited;
	uint64_t sent = 0, done = 0, first = 0;

	for (int i = 0; i < n; i += BATCH)
		connect_some(k, port, i + 1, subs + i, n - i < BATCH ? n - i : BATCH);
	for (int i = 0; i < n; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &subs[i]};

		epoll_ctl(poll, EPOLL_CTL_ADD, subs[i].fd, &e);
	}
	connect_some(k, port, 0, &own, 1);
	publisher = own.fd;
	memory = (rss(pid) - before) / (n + 1);
	waited = now_us();
	while (end == 0 || now_us() < end) {
		if (start == 0 && done >= (uint64_t)WARM * (uint64_t)n) {
			start = now_us();
			end = start + (int64_t)(seconds * 1e6);
			cpu = cpu_us(pid);
			first = done;
			nlate = 0;
		}
		if (in_flight > 0 || start == 0)
			while (sent < done / (uint64_t)n + (uint64_t)(in_flight > 0 ? in_flight : 1)) {
				publish(k, publisher);
				sent++;
			}
		else if (now_us() >= next) {
			next = (next ? next : now_us()) + 100000;
			publish(k, publisher);
			sent++;
		}
		got = epoll_wait(poll, events, 1024, in_flight > 0 ? 100 : 1);
		for (int i = 0; i < got; i++)
			done += deliveries(events[i].data.ptr, in_flight == 0 && start);
		if (got > 0)
			waited = now_us();
		else if (now_us() - waited > 10000000)
			fail("nothing comes any more");
	}
	cpu = cpu_us(pid) - cpu;
	seconds = (double)(now_us() - start) / 1e6;
	qsort(late, nlate, sizeof(*late), by_size);
	printf("{\"kind\":\"%s\",\"subscribers\":%d,\"deliveries\":%llu,\"seconds\":%.3f,\"rate\":%.0f,"
	       "\"cpu_us\":%.3f,\"memory\":%.0f", k->name, n, (unsigned long long)(done - first),
	    seconds, (double)(done - first) / seconds,
	    cpu / (double)(done > first ? done - first : 1), memory);
	if (nlate)
		printf(",\"p50\":%.3f,\"p99\":%.3f", (double)late[nlate / 2] / 1e3,
		    (double)late[nlate * 99 / 100] / 1e3);
	puts("}");
}

int
main(int argc, char **argv)
{
	raise_limit();
	for (size_t i = 0; argc == 7 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, argv[1]) == 0) {
			load(&kinds[i], atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]),
			    atof(argv[6]));
			return 0;
		}
	fprintf(stderr, "usage: fanout KIND PORT PID SUBSCRIBERS IN_FLIGHT SECONDS\n");
	return 2;
}
