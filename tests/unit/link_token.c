/* link and tokens: replaced before they end, and where one is refused for it. */
#include "tests/unit/link_told.h"

#include "common/base64.h"
#include "tools/collab/link_part.h"

#include <sys/stat.h>
#include <unistd.h>

/* A JWT that ends in so many seconds, with a mark by which it is known. */
static void
write_token(const char *file, int64_t seconds, const char *mark)
{
	struct buf b = {0}, claims = {0};
	FILE *f = fopen(file, "w");

	base64url_put(&b, S("{\"alg\":\"HS256\"}"));
	buf_addf(&claims, "{\"exp\":%lld,\"role\":\"%s\"}",
	    (long long)(time_now() / 1000 + seconds), mark);
	buf_addc(&b, '.');
	base64url_put(&b, buf_slice(&claims));
	buf_adds(&b, ".AAAA");
	CHECK(f && fchmod(fileno(f), 0600) == 0 && fprintf(f, "%s\n", b.ptr) > 0);
	if (f)
		fclose(f);
	buf_free(&b);
	buf_free(&claims);
}

static size_t
times(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

static void
test_tokens(void)
{
	static const char *const twice[] = {"InvalidJWTToken: Token has expired 1 seconds ago",
	    "InvalidJWTToken: Token has expired 1 seconds ago", NULL};
	static const char *const upgrade[] = {"401 Token has expired", NULL};
	char file[] = "/tmp/kandil-token-XXXXXX", command[100];
	struct buf echo = {0};
	int fd = mkstemp(file);

	CHECK(fd >= 0);
	close(fd);
	/* Replaced before it ends, and pushed; not pushed when it is the same. */
	write_token(file, 600, "old");
	usual();
	set.token_file = file;
	start();
	l->times.renew = 50;
	CHECK_TEXT(until("up", PATIENCE), "connecting up ");
	CHECK(times(relay_heard(), "\"access_token\":\"ey") == 1);
	CHECK(l->token_at > time_ms() + 530000 && l->token_at < time_ms() + 545000);
	l->token_at = time_ms();
	run_for(30);
	CHECK_TEXT(relay_heard(), "");
	write_token(file, 700, "new");
	l->token_at = time_ms();
	wait_heard("access_token");
	CHECK(strncmp(relay_heard(), "access_token {\"access_token\":\"ey", 31) == 0);
	/* Refused for it: a new one at once, on the same socket. The old one is not shown either. */
	write_token(file, 800, "newer");
	buf_addf(&echo, "Token has expired 3 seconds ago: %s", l->token.ptr);
	CHECK_TEXT(close_with(echo.ptr), "refresh:token_expired up ");
	CHECK(strstr(said, "ago: ***") != NULL && strstr(said, "ey") == NULL);
	CHECK(retry_ms == 0 && upgrades == 1);
	/* The new one is no better: that is that. */
	CHECK_TEXT(close_with("Token has expired 3 seconds ago"), "ended3:token_expired ");
	stop();

	snprintf(command, sizeof(command), "cat %s", file);
	usual();
	set.token_command = command;
	plan.refuse = upgrade;
	start();
	CHECK_TEXT(until("up", PATIENCE), "connecting refresh:token_expired connecting up ");
	stop();
	usual();
	set.token_command = command;
	plan.join = twice;
	start();
	CHECK_TEXT(until("ended", PATIENCE), "connecting refresh:token_expired ended3:token_expired ");
	CHECK(joins == 2 && upgrades == 1);
	stop();

	/* A command that fails is no refusal: its reason may pass. */
	usual();
	set.token_command = command;
	start();
	until("up", PATIENCE);
	unlink(file);
	CHECK_TEXT(close_with("Token has expired 3 seconds ago"), "backoff:token_expired up ");
	CHECK(strstr(said, "no new token") != NULL);
	write_token(file, 30, "short");
	/* Over by our own clock: replaced before it is tried. */
	l->token_at = time_ms();
	run_for(30);
	CHECK(l->token_at > time_ms() + 10000 && l->token_at <= time_ms() + 15000);
	write_token(file, -30, "over");
	l->token_at = time_ms();
	run_for(30);
	write_token(file, 300, "good");
	l->times.renew = 0;
	relay_heard();
	socket_cut(seat->socket);
	until("up", PATIENCE);
	CHECK(strstr(relay_heard(), l->token.ptr) != NULL);
	stop();
	unlink(file);

	/* Without a key the token is what the handshake shows. */
	usual();
	set.key = S("");
	set.token = S("tok en+/=");
	start();
	until("up", PATIENCE);
	CHECK_TEXT(query.ptr, "tok en+/= 2.0.0");
	stop();
	buf_free(&echo);
}

int
main(void)
{
	begin();
	test_tokens();
	return end();
}
