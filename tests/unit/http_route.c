/* http on its way: proxies of the settings and of the environment; TLS with openssl as server. */
#include "common/http.h"

#include "tests/unit/http_ask.h"
#include "tests/unit/http_server.h"

#include <sys/wait.h>

static void
test_proxy(void)
{
	static const char *const wrong[] = {"ftp://u:secret@127.0.0.1:1",
	    "http://u:secret@127.0.0.1:99999", "http://u:a secret@127.0.0.1:1",
	    "http://u:secret@127.0.0.1:1", "u:secret@nowhere.invalid:1"};
	char proxy[64];
	struct result r = {0};
	struct http *http = open_http(&(struct http_settings){.proxy = "http://127.0.0.1:1"});

	CHECK(faulty(http, (struct http_request){.url = url("/echo")}, HTTP_PROXY, "proxy"));
	CHECK(faulty(
	    http, (struct http_request){.url = "https://kandil.invalid/"}, HTTP_PROXY, "proxy"));
	http_close(http);
	http = open_http(&(struct http_settings){.proxy = "http://nowhere.invalid:3128"});
	CHECK(faulty(http, (struct http_request){.url = url("/echo")}, HTTP_PROXY, "nowhere"));
	http_close(http);

	/* Its password is in no message, whatever is wrong with its address. */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		http = open_http(&(struct http_settings){.proxy = wrong[i]});
		ask(http, (struct http_request){.url = "https://kandil.invalid/"}, &r);
		CHECK(r.reply.fault == HTTP_PROXY && strstr(r.reply.text, "secret") == NULL);
		http_close(http);
	}

	/* By the environment: for others, never for loopback. */
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
	setenv("http_proxy", proxy, 1);
	setenv("HTTPS_PROXY", proxy, 1);
	setenv("NO_PROXY", "direct.invalid", 1);
	http = open_http(&(struct http_settings){0});
	ask(http, (struct http_request){.url = "http://kandil.invalid/echo"}, &r);
	CHECK(r.reply.status == 200 && header_is(&r, "X-Proxied", "yes"));
	ask(http, (struct http_request){.url = url("/echo")}, &r);
	CHECK(r.reply.status == 200 && header_is(&r, "X-Proxied", "no"));
	CHECK(
	    faulty(http, (struct http_request){.url = "http://direct.invalid/"}, HTTP_RESOLVE, ""));
	/* It does not allow CONNECT. */
	CHECK(faulty(
	    http, (struct http_request){.url = "https://kandil.invalid/"}, HTTP_PROXY, "proxy"));
	http_close(http);
	unsetenv("http_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("NO_PROXY");
	free_result(&r);
}

/* ---- TLS ---- */

static void
test_tls(void)
{
	char folder[] = "/tmp/kandil-tls-XXXXXX", address[64];
	const char *argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", "key",
	    "-cert", "cert", "-www", NULL};
	struct buf out = {0}, log = {0};
	struct slice none = S("");
	struct spawn server;
	struct http *http;
	const char *at;
	struct result r = {0};

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	CHECK(shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 "
		    "-subj /CN=kandil -addext subjectAltName=IP:127.0.0.1",
		  &out) == 0);
	CHECK(spawn_start(&server, &(struct spawn_options){.argv = argv, .flags = SPAWN_ERR}, &e) ==
	      0);
	buf_adds(&log, "");
	while (!(at = strstr(log.ptr, "ACCEPT 127.0.0.1:")) || !strchr(at, '\n'))
		if (spawn_pump(&server, &none, false, &log, &out, 1 << 20, 10000) > SPAWN_MOVED)
			break;
	CHECK(at != NULL);
	snprintf(address, sizeof(address), "https://127.0.0.1:%d/",
	    at ? (int)strtol(at + 17, NULL, 10) : 1);
	http = open_http(&(struct http_settings){.http2 = true});
	CHECK(
	    faulty(http, (struct http_request){.url = address}, HTTP_TLS, "no secure connection"));
	CHECK(!mismatched(http, address)); /* it is the certificate */
	buf_reset(&log);
	buf_addf(&log, "http%s", address + strlen("https"));
	CHECK(mismatched(http, log.ptr));
	http_close(http);
	/* Its own certificate vouches for it, by the settings or the environment. */
	http = open_http(&(struct http_settings){.ca_file = "cert", .http2 = true});
	ask(http, (struct http_request){.url = address}, &r);
	CHECK(r.reply.fault == HTTP_DONE && r.reply.status == 200 && r.reply.body.len > 100);
	http_close(http);
	setenv("SSL_CERT_FILE", "cert", 1);
	http = open_http(&(struct http_settings){0});
	CHECK(faulty(http, (struct http_request){.url = address}, HTTP_DONE, ""));
	http_close(http);
	setenv("CURL_CA_BUNDLE", "nowhere", 1);
	http = open_http(&(struct http_settings){0});
	CHECK(faulty(http, (struct http_request){.url = address}, HTTP_TLS, "nowhere"));
	http_close(http);
	unsetenv("SSL_CERT_FILE");
	unsetenv("CURL_CA_BUNDLE");
	spawn_end(&server, 0);
	CHECK(shell("rm key cert", &out) == 0 && rmdir(folder) == 0);
	buf_free(&out);
	buf_free(&log);
	free_result(&r);
}

int
main(void)
{
	pid_t server;
	int status;

	forget_environment();
	signal(SIGPIPE, SIG_DFL); /* nothing here may raise it */
	server = start_server();
	CHECK(server > 0);
	test_proxy();
	test_tls();
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	return check_done();
}
