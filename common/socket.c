/*
 * The loop: libwebsockets' poll over its connections, and one epoll descriptor
 * in it for the descriptors of others. libwebsockets would set those to
 * non-blocking, also for whoever shares them (a terminal), and close them;
 * and regular files, which epoll refuses, are ready at every turn.
 */
#include "common/socket_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	EVENTS = 32,
	FILES_KEPT = 64,   /* for what is not a connection */
	FILES_MAX = 65536, /* lws has a table of that size */
	HOUR = 3600,
	MANY = 256,	    /* connections that are written to in one round */
	GATHER_NS = 20000000, /* the longest wait of gathering */
};

struct socket_watch {
	struct lws_dll2 list; /* waiting, ready or gone */
	struct sockets *loop;
	int fd, own; /* own: a duplicate, where fd was watched already; -1: none */
	void (*ready)(void *);
	void *state;
};

/* ---- watches ---- */

struct socket_watch *
sockets_watch(struct sockets *loop, int fd, void (*ready)(void *), void *state)
{
	struct socket_watch *w = xcalloc(1, sizeof(*w));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

	*w = (struct socket_watch){.loop = loop, .fd = fd, .own = -1, .ready = ready,
	    .state = state};
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
	    (errno == EEXIST && (w->own = dup(fd)) >= 0 &&
		epoll_ctl(loop->epoll, EPOLL_CTL_ADD, w->own, &event) == 0))
		lws_dll2_add_tail(&w->list, &loop->waiting);
	else
		lws_dll2_add_tail(&w->list, &loop->ready);
	return w;
}

void
sockets_unwatch(struct socket_watch *w)
{
	struct epoll_event event = {0};

	if (w == NULL || w->ready == NULL)
		return;
	if (w->list.owner == &w->loop->waiting)
		epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->own >= 0 ? w->own : w->fd, &event);
	lws_dll2_remove(&w->list);
	if (w->own >= 0)
		close(w->own);
	w->ready = NULL;
	/* The events of this turn may still name it. */
	lws_dll2_add_tail(&w->list, &w->loop->gone);
}

static void
call(struct socket_watch *w)
{
	if (w->ready == NULL)
		return;
	w->loop->told++;
	w->ready(w->state);
}

static void
watched(struct sockets *loop)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(loop->epoll, events, EVENTS, 0);

	for (int i = 0; i < n; i++)
		call(events[i].data.ptr);
}

/* Files: what one callback unwatches or watches may be its neighbour. */
static void
always_ready(struct sockets *loop)
{
	struct lws_dll2 *d;
	size_t n = loop->ready.count;

	while (n-- > 0 && (d = lws_dll2_get_head(&loop->ready))) {
		struct socket_watch *w = lws_container_of(d, struct socket_watch, list);

		lws_dll2_remove(&w->list);
		lws_dll2_add_tail(&w->list, &loop->ready);
		call(w);
	}
}

static void
free_watches(struct lws_dll2_owner *list)
{
	struct lws_dll2 *d;

	while ((d = lws_dll2_get_head(list))) {
		struct socket_watch *w = lws_container_of(d, struct socket_watch, list);

		lws_dll2_remove(d);
		if (w->own >= 0 && w->ready)
			close(w->own);
		free(w);
	}
}

/* ---- libwebsockets ---- */

static int
hand_on(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
	struct socket_role *role = lws_get_opaque_user_data(wsi);
	struct sockets *loop;
	struct socket *s;

	if (why == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
		socket_settle_tls(user);
	if (role == NULL) /* CONNECT would have it speak raw */
		return why == LWS_CALLBACK_RAW_ADOPT || why == LWS_CALLBACK_RAW_RX ? -1 : 0;
	loop = lws_context_user(lws_get_context(wsi));
	loop->now = time_ms(); /* poll may have waited since it was set */
	switch (role->kind) {
	case SOCKET_KIND_WATCH:
		if (why == LWS_CALLBACK_RAW_RX_FILE)
			watched(loop);
		return 0;
	case SOCKET_KIND_ASK:
		return socket_ask_event((struct socket_ask *)role, wsi, why, in, len);
	case SOCKET_KIND_CONNECTION:
		s = (struct socket *)role;
		if (why == LWS_CALLBACK_WSI_DESTROY) {
			/* An attempt that fails at once is seen where it is made. */
			if (s->wsi == wsi)
				socket_gone(s);
			return 0;
		}
		if (s->client && why != LWS_CALLBACK_CLIENT_ESTABLISHED)
			return socket_client_event(s, wsi, why, user, in, len);
		return socket_event(s, wsi, why, in, len);
	}
	return 0;
}

static const struct lws_protocols server_protocols[] = {
	/* A first byte of user space, or lws does not say when it begins to close. */
	{.name = "phoenix",
	    .callback = hand_on,
	    .per_session_data_size = 1,
	    .rx_buffer_size = SOCKET_READ,
	    .tx_packet_size = SOCKET_PIECE},
	{.name = NULL},
};
static const struct lws_protocols client_protocols[] = {
	{.name = "client",
	    .callback = hand_on,
	    .rx_buffer_size = SOCKET_CLIENT_READ,
	    .tx_packet_size = SOCKET_PIECE},
	{.name = NULL},
};
static const lws_retry_bo_t no_pings; /* of its own */

struct lws_vhost *
socket_vhost(struct sockets *loop, struct lws_context_creation_info *info)
{
	bool server = info->port == CONTEXT_PORT_NO_LISTEN_SERVER;

	info->protocols = server ? server_protocols : client_protocols;
	info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info->alpn = "http/1.1";
	info->retry_and_idle_policy = &no_pings;
	info->connect_timeout_secs = HOUR;
	info->http_proxy_address = ":0"; /* or it takes the environment's */
	return lws_create_vhost(loop->context, info);
}

/* What lws logs are warnings of ours with -v only: its errors end in an end of ours. */
static void
logged(int level, const char *line)
{
	char text[256];
	size_t n = strcspn(line, "\n");

	(void)level;
	if (die_verbose() < 1)
		return;
	n = n < sizeof(text) ? n : sizeof(text) - 1;
	memcpy(text, line, n);
	text[utf8_visible(text, n)] = '\0';
	note("libwebsockets: %s", text);
}

/*
 * lws sizes its tables by the number of files that may be open, which is a
 * billion in some containers.
 */
static struct lws_context *
make_context(struct sockets *loop)
{
	/*
	 * lws drops requests whose list of subprotocols is longer than its 128
	 * bytes (phoenix.js puts a token there), but not what it cut itself.
	 */
	static const struct lws_token_limits limits = {{[WSI_TOKEN_PROTOCOL] = 120}};
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
	    .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
	    .user = loop,
	    .token_limits = &limits,
	    .max_http_header_data2 = SOCKET_HEAD,
	    .max_http_header_pool2 = SOCKET_ASKS + FILES_KEPT,
	    .pt_serv_buf_size = SOCKET_PIECE,
	    .timeout_secs = HOUR};
	struct lws_context *context;
	struct rlimit files, fewer;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return NULL;
	fewer = files;
	if (fewer.rlim_cur > FILES_MAX)
		fewer.rlim_cur = FILES_MAX;
	loop->limit = fewer.rlim_cur > 2 * FILES_KEPT ? fewer.rlim_cur - FILES_KEPT : FILES_KEPT;
	setrlimit(RLIMIT_NOFILE, &fewer);
	lws_set_log_level(LLL_ERR | LLL_WARN, logged);
	context = lws_create_context(&info);
	setrlimit(RLIMIT_NOFILE, &files);
	return context;
}

struct sockets *
sockets_open(struct err *e)
{
	struct sockets *loop = xcalloc(1, sizeof(*loop));
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
	    .vhost_name = "plain"};
	lws_adopt_desc_t adopt = {.type = LWS_ADOPT_RAW_FILE_DESC};

	signal(SIGPIPE, SIG_IGN);
	loop->now = time_ms();
	loop->sweep = INT64_MAX;
	loop->watching.kind = SOCKET_KIND_WATCH;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->context = loop->epoll >= 0 ? make_context(loop) : NULL;
	if (loop->context)
		loop->plain = socket_vhost(loop, &info);
	if (loop->plain) {
		adopt.vh = loop->plain;
		adopt.fd.filefd = loop->epoll;
		adopt.opaque = &loop->watching;
		if (lws_adopt_descriptor_vhost_via_info(&adopt))
			return loop;
	}
	err_set(e, "no_network", "cannot set libwebsockets up: %s", strerror(errno));
	if (loop->context)
		lws_context_destroy(loop->context);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop);
	return NULL;
}

void
sockets_close(struct sockets *loop)
{
	if (loop == NULL)
		return;
	loop->closing = true;
	lws_start_foreach_dll(struct lws_dll2 *, d, lws_dll2_get_head(&loop->all))
	{
		struct socket *s = lws_container_of(d, struct socket, all);

		socket_over(s, SOCKET_CUT, 0, S(""));
		s->mute = true;
	}
	lws_end_foreach_dll(d);
	socket_tell(loop); /* calls nobody now, and frees */
	sockets_refuse(loop);
	lws_sul_cancel(&loop->alarm);
	lws_context_destroy(loop->context); /* closes loop->epoll, too */
	socket_listener_free(loop);
	socket_trust_free(loop);
	free_watches(&loop->waiting);
	free_watches(&loop->ready);
	free_watches(&loop->gone);
	free(loop);
}

/* ---- turns ---- */

static void
rang(lws_sorted_usec_list_t *alarm)
{
	(void)alarm; /* that poll returned is all */
}

void
socket_alarm(struct sockets *loop, int64_t due)
{
	if (due < loop->sweep)
		loop->sweep = due;
}

/*
 * A message to thousands takes milliseconds to write, by one system call each. What comes
 * meanwhile goes with the next writes, and is the cheaper the more there is of it: so after
 * such a round the next one waits a part of the time that it took. But only while there is
 * something to gather: who sends one when the last has arrived would wait for nothing.
 */
static bool
gathering(const struct sockets *loop)
{
	return loop->dirty.count >= MANY && time_ns() < loop->gather;
}

static void
flush_all(struct sockets *loop)
{
	uint64_t connections = loop->dirty.count, messages = loop->counts.messages_out;
	bool many = connections >= MANY;
	int64_t start = many ? time_ns() : 0, end;
	struct lws_dll2 *d;

	if (gathering(loop))
		return;
	/* What is sent while this writes is written, too, but not without end. */
	for (int turns = 0; turns < 4 && loop->dirty.count > 0; turns++)
		for (uint32_t n = loop->dirty.count; n > 0; n--)
			if ((d = lws_dll2_get_head(&loop->dirty)))
				socket_flush(lws_container_of(d, struct socket, dirty));
	if (many && 2 * (loop->counts.messages_out - messages) >= 3 * connections) {
		end = time_ns();
		loop->gather = end + (end - start < 4 * GATHER_NS ? (end - start) / 4 : GATHER_NS);
	}
}

void
sockets_wait(struct sockets *loop, int64_t timeout_ms)
{
	loop->told = 0;
	loop->now = time_ms();
	socket_tell(loop);
	flush_all(loop);
	if (loop->told || loop->over.count || loop->ready.count)
		timeout_ms = 0;
	else if (loop->dirty.count)
		timeout_ms = gathering(loop) && timeout_ms != 0 ? 1 : 0;
	if (loop->sweep != INT64_MAX) {
		int64_t left = loop->sweep > loop->now ? loop->sweep - loop->now : 0;

		if (timeout_ms < 0 || left < timeout_ms)
			timeout_ms = left;
	}
	if (timeout_ms > 0) /* poll counts whole milliseconds, and rounds down */
		lws_sul_schedule(loop->context, 0, &loop->alarm, rang,
		    timeout_ms * LWS_US_PER_MS + LWS_US_PER_MS - 1);
	else
		lws_sul_cancel(&loop->alarm);
	lws_service(loop->context, timeout_ms == 0 ? -1 : 0);
	loop->now = time_ms();
	always_ready(loop);
	if (loop->sweep <= loop->now)
		socket_sweep(loop);
	socket_tell(loop);
	flush_all(loop);
	socket_tell(loop);
	free_watches(&loop->gone);
}

const struct socket_counts *
sockets_counts(const struct sockets *loop)
{
	return &loop->counts;
}

int
sockets_port(const struct sockets *loop)
{
	return loop->port;
}
