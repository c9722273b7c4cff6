/* socket tls: certificates that are good, those that are not, and plain words to TLS. */
#include "tests/unit/socket_peer.h"

#include "common/spawn.h"

static struct buf in;

static void
shell(const char *line)
{
	const char *argv[] = {"sh", "-c", line, NULL};

	buf_reset(&in);
	CHECK(spawn_run(&(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, S(""), 1 << 20,
		  60000, NULL, &in, &e) == 0);
}

static void
test_tls(void)
{
	char folder[] = "/tmp/kandil-socket-XXXXXX", url[64], by_number[64];
	struct socket_server set = {.cert_file = "cert", .key_file = "other.key"};
	struct peer c = {0};
	char *big = xcalloc(1, 300000);
	int plain = 0;

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	shell("for n in '' other.; do openssl req -x509 -newkey ec -pkeyopt "
	      "ec_paramgen_curve:prime256v1 -nodes -keyout ${n}key -out ${n:+other}${n:-cert} "
	      "-days 2 "
	      "-subj /CN=kandil -addext subjectAltName=DNS:localhost; done; mv other.key k; "
	      "mv otherother. other; mv k other.key");
	start((struct socket_server){0}); /* plain beside it */
	CHECK(listen_with(set) < 0);
	CHECK_TEXT(e.code, "bad_tls");
	CHECK(strstr(e.text, "'cert', 'other.key'") != NULL);
	set.key_file = "key";
	CHECK(listen_with(set) == 0);
	serve = echo;
	snprintf(url, sizeof(url), "wss://localhost:%d/", sockets_port(loop));
	snprintf(by_number, sizeof(by_number), "wss://127.0.0.1:%d/", sockets_port(loop));
	/* Not trusted: by the system, by another's certificate; not there at all. */
	for (size_t i = 0; i < 4; i++) {
		static const char *const cas[] = {NULL, "other", "nowhere", "cert"};

		c = (struct peer){0};
		dial(&c,
		    (struct socket_request){.url = i == 3 ? by_number : url, .ca_file = cas[i]});
		UNTIL(c.closed);
		CHECK(c.end.fault == SOCKET_TLS && c.opened == 0 && !c.end.mismatch);
		if (i == 0)
			CHECK(strstr(c.end.text, "'localhost' is not good: self") != NULL);
		if (i == 2)
			CHECK(strstr(c.end.text, "'nowhere'") != NULL);
		if (i == 3) /* trusted, but for another name */
			CHECK(strstr(c.end.text, "'127.0.0.1' is not good: IP address mismatch"));
	}
	CHECK(nserved == 0);
	/* Good, by the file or the environment. */
	for (size_t i = 0; i < 2; i++) {
		if (i == 1)
			setenv("SSL_CERT_FILE", "cert", 1);
		if (i == 1) {
			stop();
			start((struct socket_server){0});
			plain = sockets_port(loop);
			CHECK(listen_with(set) == 0);
			serve = echo;
			snprintf(url, sizeof(url), "https://localhost:%d/", sockets_port(loop));
		}
		c = (struct peer){0};
		dial(&c, (struct socket_request){.url = url, .ca_file = i ? NULL : "cert"});
		UNTIL(c.opened || c.closed);
		CHECK(c.opened == 1);
		if (!c.opened)
			continue;
		for (int n = 0; n < 20; n++)
			socket_say(c.socket, (struct slice){big, n % 2 ? 300000 : 10}, true);
		UNTIL(c.messages == 20);
		CHECK(c.last.len == 300000);
		socket_close(c.socket, 1000, "done");
		UNTIL(c.closed && served[0].closed);
		CHECK(served[0].end.code == 1000 && c.end.fault == SOCKET_CLOSED);
		buf_free(&c.last);
	}
	/* Plain words to TLS, and TLS to plain ears. */
	c = (struct peer){0};
	url[2] = 'p';
	snprintf(by_number, sizeof(by_number), "ws://localhost:%d/", sockets_port(loop));
	dial(&c, (struct socket_request){.url = by_number});
	UNTIL(c.closed);
	CHECK(c.end.fault == SOCKET_CONNECT && c.end.mismatch);
	c = (struct peer){0};
	snprintf(by_number, sizeof(by_number), "wss://127.0.0.1:%d/", plain);
	dial(&c, (struct socket_request){.url = by_number});
	UNTIL(c.closed);
	CHECK((c.end.fault == SOCKET_TLS || c.end.fault == SOCKET_CONNECT) && c.end.mismatch);
	unsetenv("SSL_CERT_FILE");
	stop();
	shell("rm -f key cert other other.key");
	CHECK(rmdir(folder) == 0);
	free(big);
}

int
main(void)
{
	set_environment();
	test_tls();
	buf_free(&in);
	return check_done();
}
