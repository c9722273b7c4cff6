/*
 * The turn: epoll says which sockets can move, libcurl moves them, then the
 * caller hears of it. No callback of the caller's runs inside libcurl, which
 * allows little there: bytes of streams wait until libcurl has returned.
 *
 * libcurl takes a socket off the watch whenever a connection is idle, and puts
 * it back for the next request. For sockets whose making and closing we see,
 * that is not passed on to the kernel until something happens on an idle one:
 * a request on a kept connection costs no epoll_ctl.
 */
#include "common/http_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

/* ---- sockets ---- */

static struct http_socket *
socket_at(struct http *http, int fd)
{
	size_t need = (size_t)fd + 1;

	if (need > http->nsockets) {
		need = need < 64 ? 64 : 2 * need;
		http->sockets = xreallocarray(http->sockets, need, sizeof(*http->sockets));
		memset(http->sockets + http->nsockets, 0,
		    (need - http->nsockets) * sizeof(*http->sockets));
		http->nsockets = need;
	}
	return &http->sockets[fd];
}

/* Tells the kernel. What it does not know any more is added, and the reverse. */
static void
watch(struct http *http, int fd, struct http_socket *s)
{
	struct epoll_event event = {.events = s->want, .data.fd = fd};

	if (s->want == s->have)
		return;
	if (s->want == 0)
		epoll_ctl(http->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(http->epoll, s->have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
		epoll_ctl(http->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
		    &event);
	s->have = s->want;
}

int
http_socket_made(void *state, curl_socket_t fd, curlsocktype purpose)
{
	(void)purpose;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*socket_at(state, fd) = (struct http_socket){.ours = true};
	return CURL_SOCKOPT_OK;
}

int
http_socket_closed(void *state, curl_socket_t fd)
{
	/* Closing takes it out of the epoll set. */
	*socket_at(state, fd) = (struct http_socket){0};
	return close(fd);
}

/* libcurl does not tell the descriptor before the request is over. */
static int
port_of(int fd)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return -1;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					      : ((struct sockaddr_in *)&at)->sin_port);
}

bool
http_socket_waits(struct http *http, int port)
{
	for (size_t fd = 0; fd < http->nsockets; fd++) {
		struct http_socket *s = &http->sockets[fd];
		struct pollfd p = {(int)fd, POLLIN, 0};

		if (s->ours && s->port == 0)
			s->port = port_of((int)fd);
		if (s->ours && s->port == port && poll(&p, 1, 0) > 0)
			return true;
	}
	return false;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *state, void *unused)
{
	struct http_socket *s = socket_at(state, fd);

	(void)easy;
	(void)unused;
	s->want = (what & CURL_POLL_IN && what != CURL_POLL_REMOVE ? EPOLLIN : 0U) |
	    (what & CURL_POLL_OUT && what != CURL_POLL_REMOVE ? EPOLLOUT : 0U);
	if (s->want || !s->ours)
		watch(state, fd, s);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *state)
{
	struct http *http = state;

	(void)multi;
	http->timer = ms < 0 ? INT64_MAX : time_ms() + ms;
	return 0;
}

/* ---- opening ---- */

static char *
copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void
set_multi(struct http *http, long connections)
{
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	/* As many as are in flight, or each reply closes a connection. */
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, connections);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, connections);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

struct http *
http_open(const struct http_settings *settings, struct err *e)
{
	struct http *http;
	const char *ca = settings->ca_file;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(e, "no_network", "libcurl cannot be set up");
		return NULL;
	}
	if (!ca && !(ca = getenv("CURL_CA_BUNDLE")))
		ca = getenv("SSL_CERT_FILE");
	http = xcalloc(1, sizeof(*http));
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	http->multi = curl_multi_init();
	http->timer = http->check = INT64_MAX;
	http->user_agent = xstrdup(settings->user_agent ? settings->user_agent
							: "kandil/" KANDIL_VERSION);
	http->ca_file = ca && *ca ? xstrdup(ca) : NULL;
	http->proxy = copy(settings->proxy);
	http->http2 = settings->http2;
	http->connect_ms = settings->connect_ms > 0 ? settings->connect_ms : 10000;
	if (http->epoll < 0 || !http->multi) {
		err_set(e, "no_network", "libcurl cannot be set up: too many open files, "
		    "or no memory");
		http_close(http);
		return NULL;
	}
	set_multi(http, settings->connections > 0 ? settings->connections : 64);
	return http;
}

void
http_close(struct http *http)
{
	struct http_call *call;

	if (!http)
		return;
	while (http->active)
		http_cancel(http->active);
	while ((call = http->spare)) {
		http->spare = call->next;
		http_call_free(call);
	}
	curl_multi_cleanup(http->multi);
	if (http->epoll >= 0)
		close(http->epoll);
	free(http->user_agent);
	free(http->ca_file);
	free(http->proxy);
	free(http->sockets);
	free(http->fed);
	free(http->polled);
	free(http);
	curl_global_cleanup();
}

/* ---- calls ---- */

/* Out of libcurl, out of the lists; still readable, not yet spare. */
static void
take_out(struct http_call *call)
{
	struct http *http = call->http;

	curl_multi_remove_handle(http->multi, call->easy);
	*(call->prev ? &call->prev->next : &http->active) = call->next;
	if (call->next)
		call->next->prev = call->prev;
	for (size_t i = 0; call->fed && i < http->nfed; i++)
		if (http->fed[i] == call)
			http->fed[i] = NULL;
	call->fed = false;
	call->serial++;
	http->in_flight--;
}

static void
make_spare(struct http_call *call)
{
	call->next = call->http->spare;
	call->http->spare = call;
}

struct http_call *
http_start(struct http *http, const struct http_request *request, struct err *e)
{
	struct http_call *call = http_call_new(http);

	if (!call) {
		err_set(e, "no_network", "libcurl has no memory for another request");
		return NULL;
	}
	if (http_call_set(call, request, e) < 0) {
		make_spare(call);
		return NULL;
	}
	call->prev = NULL;
	call->next = http->active;
	if (call->next)
		call->next->prev = call;
	http->active = call;
	http->in_flight++;
	call->start = call->moved = time_ms();
	if (http_call_due(call) < http->check)
		http->check = http_call_due(call);
	if (curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
		http_cancel(call);
		err_set(e, "no_network", "libcurl has no memory for another request");
		return NULL;
	}
	return call;
}

void
http_cancel(struct http_call *call)
{
	take_out(call);
	make_spare(call);
}

static void
finish(struct http_call *call, CURLcode result)
{
	struct http_reply reply;

	http_call_reply(call, result, &reply);
	take_out(call);
	call->http->told++;
	call->request.done(call, &reply, call->request.state);
	make_spare(call);
}

/* ---- the turn ---- */

/* What streams received, now that libcurl has returned. */
static void
hand_on(struct http *http)
{
	for (size_t i = 0; i < http->nfed; i++) {
		struct http_call *call = http->fed[i];
		uint64_t serial;
		bool more;

		if (!call)
			continue;
		serial = call->serial;
		call->fed = false;
		http->fed[i] = NULL;
		http->told++;
		more = call->request.data(call, buf_slice(&call->body), call->request.state);
		if (call->serial != serial)
			continue; /* cancelled meanwhile */
		buf_reset(&call->body);
		if (!more) {
			call->fault = HTTP_STOPPED;
			finish(call, CURLE_ABORTED_BY_CALLBACK);
		}
	}
	http->nfed = 0;
}

/* Nothing was sent yet: again, on another connection. */
static bool
again(struct http_call *call)
{
	struct http *http = call->http;

	if (!call->foul)
		return false;
	call->foul = false;
	curl_multi_remove_handle(http->multi, call->easy);
	return curl_multi_add_handle(http->multi, call->easy) == CURLM_OK;
}

static void
collect(struct http *http)
{
	CURLMsg *message;
	int left;
	char *call;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		if (!again((struct http_call *)(void *)call))
			finish((struct http_call *)(void *)call, result);
	}
}

/* Gives up what is late. done may change the list, so each look starts anew. */
static void
give_up(struct http *http)
{
	struct http_call *call;

	do {
		http->check = INT64_MAX;
		for (call = http->active; call; call = call->next) {
			int64_t due = http_call_due(call);

			if (due <= http->now && http_call_late(call))
				break;
			due = http_call_due(call);
			if (due < http->check)
				http->check = due;
		}
		if (call)
			finish(call, CURLE_OPERATION_TIMEDOUT);
	} while (call);
}

static void
move(struct http *http, const struct epoll_event *events, int n)
{
	int running;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;
		struct http_socket *s = socket_at(http, fd);
		uint32_t e = events[i].events;

		if (s->want == 0) { /* an idle connection that the server closed */
			watch(http, fd, s);
			continue;
		}
		curl_multi_socket_action(http->multi, fd,
		    (e & EPOLLIN ? CURL_CSELECT_IN : 0) | (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (e & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0), &running);
	}
	if (http->now >= http->timer) {
		http->timer = INT64_MAX;
		curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	hand_on(http);
	collect(http);
	if (http->now >= http->check)
		give_up(http);
}

/* Milliseconds from now to the earliest of three moments, for poll. */
static int
until(const struct http *http, int64_t end)
{
	int64_t at = end < http->timer ? end : http->timer;

	at = at < http->check ? at : http->check;
	if (at == INT64_MAX)
		return -1;
	at -= http->now;
	return at <= 0 ? 0 : at > INT32_MAX ? INT32_MAX : (int)at;
}

/* Waits for the sockets and for more: events on more, -1; the sockets' in events. */
static int
wait_all(struct http *http, int timeout, struct pollfd *more, size_t n, struct epoll_event *events,
    int *nevents)
{
	int ready;

	if (n == 0) {
		*nevents = epoll_wait(http->epoll, events, EVENTS, timeout);
		return *nevents < 0 ? -1 : 0;
	}
	if (n + 1 > http->npolled) {
		http->npolled = n + 1;
		http->polled = xreallocarray(http->polled, n + 1, sizeof(*http->polled));
	}
	http->polled[0] = (struct pollfd){http->epoll, POLLIN, 0};
	memcpy(http->polled + 1, more, n * sizeof(*more));
	ready = poll(http->polled, n + 1, timeout);
	if (ready < 0)
		return -1;
	memcpy(more, http->polled + 1, n * sizeof(*more));
	if (!http->polled[0].revents)
		return ready;
	*nevents = epoll_wait(http->epoll, events, EVENTS, 0);
	return ready - 1;
}

int
http_wait(struct http *http, int64_t timeout_ms, struct pollfd *more, size_t n)
{
	struct epoll_event events[EVENTS];
	int64_t end;
	int ready, nevents;

	if (n == 0 && !http->in_flight && timeout_ms < 0)
		return 0; /* nothing could ever wake us */
	http->now = time_ms();
	end = timeout_ms < 0 ? INT64_MAX : http->now + timeout_ms;
	http->told = 0;
	for (size_t i = 0; i < n; i++)
		more[i].revents = 0;
	do {
		nevents = 0;
		ready = wait_all(http, until(http, end), more, n, events, &nevents);
		if (ready < 0)
			return errno == EINTR ? 0 : -1;
		http->now = time_ms();
		move(http, events, nevents);
	} while (!http->told && !ready && http->now < end);
	return ready;
}
