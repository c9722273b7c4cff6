/* socket slow: a reader that does not keep up is given up in words, and the others do not notice. */
#include "tests/unit/socket_peer.h"

static struct buf in;

enum { FRAMES = 800, SIZE = 32768 };

/* If it reads at last, before it is given up, it finds whole messages and the reason. */
static void
read_reason(int slow)
{
	struct slice text = slice(served[0].end.text);
	int64_t end = time_ms() + PATIENCE;
	ssize_t n = -1;

	CHECK(served[0].end.fault == SOCKET_SLOW && slice_starts(text, "too slow: "));
	buf_reset(&in);
	while (n != 0 && !slice_ends(buf_slice(&in), text.ptr) && time_ms() < end) {
		n = recv(slow, buf_room(&in, 65536), 65536, 0);
		in.len += n > 0 ? (size_t)n : 0;
		if (n < 0)
			sockets_wait(loop, 5);
	}
	CHECK(in.len > 100000 && in.len % (SIZE + 4) == 2 + 2 + text.len);
	CHECK(slice_ends(buf_slice(&in), text.ptr));
}

static void
test_slow(void)
{
	static char text[SIZE];
	struct buf got = {0};
	size_t frames = 0;
	int slow, fast;
	bool told = false;

	start((struct socket_server){.max_queue = 256 * 1024});
	slow = raw_upgrade(&in, 4096);
	fast = raw_upgrade(&in, 0);
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct socket_frame *f;

		memcpy(text, &i, sizeof(i));
		f = socket_frame((struct slice){text, SIZE}, true);
		if (served[0].socket)
			socket_send(served[0].socket, f);
		CHECK(served[1].socket != NULL);
		socket_send(served[1].socket, f);
		socket_frame_free(f);
		/* The fast one reads while it is served. */
		while (raw_read(fast, &got, (size_t)(SIZE + 4) * (i - (i % 4) + 1)) &&
		       frames * (SIZE + 4) + SIZE + 4 <= got.len) {
			uint32_t n;

			memcpy(&n, got.ptr + frames * (SIZE + 4) + 4, sizeof(n));
			CHECK(n == frames);
			frames++;
		}
		if (served[0].closed && !told) {
			read_reason(slow);
			told = true;
		}
	}
	CHECK(told && served[0].closed == 1);
	CHECK(served[1].closed == 0 && served[1].drained > 0);
	CHECK(raw_read(fast, &got, (size_t)FRAMES * (SIZE + 4)));
	close(slow);
	close(fast);
	buf_free(&got);
	stop();
}

int
main(void)
{
	test_slow();
	buf_free(&in);
	return check_done();
}
