/*
 * Listening. The descriptors are ours, not libwebsockets': so that an address
 * that cannot be had is told with its reason, that running out of files is
 * waited for, and that listening can stop.
 */
#include "common/socket_part.h"

#include "common/mem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { BACKLOG = 4096, AT_ONCE = 256, REST = 50 };

static void accept_some(void *state);

/* ---- addresses ---- */

static int
bind_to(const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (to->ai_family == AF_INET6) /* all addresses: those of IPv4, too */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	char port[16];

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    getnameinfo((struct sockaddr *)&a, n, NULL, 0, port, sizeof(port), NI_NUMERICSERV) != 0)
		return 0;
	return (int)strtol(port, NULL, 10);
}

static int
listen_at(const char *host, int port, struct err *e)
{
	bool all = host == NULL || *host == '\0' || strcmp(host, "*") == 0;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE};
	struct addrinfo *list = NULL;
	char service[16];
	int fd = -1, n;

	snprintf(service, sizeof(service), "%d", port);
	n = getaddrinfo(all ? "::" : host, service, &hints, &list);
	if (n != 0)
		return err_set(e, "cannot_listen", "cannot listen at '%s': %s", host,
		    gai_strerror(n));
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = bind_to(a);
	freeaddrinfo(list);
	if (fd < 0 && all && errno == EAFNOSUPPORT) /* a kernel without IPv6 */
		return listen_at("0.0.0.0", port, e);
	if (fd < 0)
		return err_set(e, "cannot_listen", "cannot listen at '%s', port %d: %s",
		    all ? "*" : host, port, strerror(errno));
	return fd;
}

/* ---- TLS ---- */

/* No terminal is asked for the password of a key. */
static int
no_password(char *text, int size, int writing, void *state)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)state;
	return 0;
}

/* lws starts without certificate when it cannot read it, and does not say why. */
static int
check_tls(const struct socket_server *set, struct err *e)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	const char *wrong = NULL, *words;
	bool key = false;
	unsigned long why;

	ERR_clear_error();
	if (tls)
		SSL_CTX_set_default_passwd_cb(tls, no_password);
	if (tls == NULL)
		wrong = "TLS cannot be set up";
	else if (SSL_CTX_use_certificate_chain_file(tls, set->cert_file) != 1)
		wrong = "no certificate in PEM";
	else if ((key = SSL_CTX_use_PrivateKey_file(tls, set->key_file, SSL_FILETYPE_PEM) != 1))
		wrong = "no private key in PEM that fits the certificate";
	why = ERR_peek_error();
	SSL_CTX_free(tls);
	if (wrong == NULL)
		return 0;
	words = ERR_SYSTEM_ERROR(why) ? strerror(ERR_GET_REASON(why)) : ERR_reason_error_string(why);
	err_set(e, "bad_tls", "'%s'%s%s%s: %s: %s", set->cert_file, key ? ", '" : "",
	    key ? set->key_file : "", key ? "'" : "", wrong, words ? words : "not said why");
	ERR_clear_error();
	return -1;
}

/* lws would choose another listener's certificate by the name that a client gives. */
void
socket_settle_tls(SSL_CTX *tls)
{
	SSL_CTX_set_tlsext_servername_callback(tls, NULL);
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}

/* ---- listeners ---- */

int
socket_listen(struct sockets *loop, const struct socket_server *set, struct err *e)
{
	struct socket_listener *l;
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN_SERVER};
	bool tls = set->cert_file && set->key_file;
	int fd;

	if ((tls && check_tls(set, e) < 0) || (fd = listen_at(set->host, set->port, e)) < 0)
		return -1;
	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->set = *set;
	l->set.max_message = set->max_message ? set->max_message : SOCKET_MESSAGE_MAX;
	l->set.max_queue = set->max_queue ? set->max_queue : (size_t)1 << 20;
	l->set.max_body = set->max_body ? set->max_body : SOCKET_MESSAGE_MAX;
	l->set.max_begun = set->max_begun ? set->max_begun : (size_t)64 << 20;
	l->set.max_connections = set->max_connections ? set->max_connections : (long)loop->limit;
	l->set.handshake_ms = set->handshake_ms ? set->handshake_ms : 10000;
	l->set.idle_ms = set->idle_ms ? set->idle_ms : 60000;
	snprintf(l->name, sizeof(l->name), "server %d", port_of(fd));
	info.vhost_name = l->name;
	if (tls) {
		info.ssl_cert_filepath = set->cert_file;
		info.ssl_private_key_filepath = set->key_file;
	}
	l->vhost = socket_vhost(loop, &info);
	if (l->vhost == NULL) {
		close(fd);
		free(l);
		return err_set(e, tls ? "bad_tls" : "cannot_listen", "cannot set a server up");
	}
	loop->port = port_of(fd);
	l->next = loop->listeners;
	loop->listeners = l;
	l->watch = sockets_watch(loop, fd, accept_some, l);
	return 0;
}

/* Out of files or room: what waits is left in the queue of the system for a while. */
static void
rest(struct socket_listener *l)
{
	sockets_unwatch(l->watch);
	l->watch = NULL;
	l->rest = l->loop->now + REST;
	socket_alarm(l->loop, l->rest);
}

static void
accept_some(void *state)
{
	struct socket_listener *l = state;
	struct sockets *loop = l->loop;
	char address[64];
	int on = 1;

	for (int n = 0; n < AT_ONCE && l->fd >= 0; n++) {
		struct sockaddr_storage a;
		socklen_t size = sizeof(a);
		int fd;

		if (loop->asks.count + loop->all.count >= loop->limit || !socket_ask_room(loop)) {
			rest(l);
			return;
		}
		fd = accept4(l->fd, (struct sockaddr *)&a, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				rest(l);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (getnameinfo((struct sockaddr *)&a, size, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) != 0)
			address[0] = '\0';
		/* IPv4 that came by way of IPv6 */
		socket_ask_new(l, fd,
		    strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address);
	}
}

void
socket_listener_wake(struct sockets *loop)
{
	for (struct socket_listener *l = loop->listeners; l; l = l->next) {
		if (l->rest == 0 || l->fd < 0)
			continue;
		if (l->rest > loop->now) {
			socket_alarm(loop, l->rest);
			continue;
		}
		l->rest = 0;
		l->watch = sockets_watch(loop, l->fd, accept_some, l);
	}
}

static void
stop(struct socket_listener *l)
{
	if (l->fd < 0)
		return;
	sockets_unwatch(l->watch);
	l->watch = NULL;
	close(l->fd);
	l->fd = -1;
}

void
sockets_refuse(struct sockets *loop)
{
	loop->refusing = true;
	for (struct socket_listener *l = loop->listeners; l; l = l->next)
		stop(l);
}

void
socket_listener_free(struct sockets *loop)
{
	struct socket_listener *l;

	while ((l = loop->listeners)) {
		loop->listeners = l->next;
		free(l);
	}
}
