/*
 * A topic's file: a line of JSON that says whose it is, and entries behind it.
 *
 *	{"kandil":"history","version":1,"epoch":"16 digits","private":false,"topic":"realtime%3Ax"}
 *	entry: u32 length, u32 check of the length, u64 check of the body, body
 *
 * Little-endian; checks are SipHash-1-3. The length has a check of its own, so that
 * a flipped bit in it is told from a write that was cut off.
 */
#include "common/crypto.h"
#include "common/json.h"
#include "common/url.h"
#include "tools/collab/history_part.h"
#include "tools/collab/store.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_MOST = 200, NAME_CUT = 100, COPY = 64 * 1024 };

static uint32_t
length_check(uint32_t little)
{
	char bytes[8] = "len";

	memcpy(bytes + 4, &little, 4);
	return (uint32_t)hash_stable((struct slice){bytes, sizeof(bytes)});
}

void
history_disk_head(char head[ENTRY_HEAD], struct slice body)
{
	uint32_t length = htole32((uint32_t)body.len), check = htole32(length_check(length));
	uint64_t sum = htole64(hash_stable(body));

	memcpy(head, &length, 4);
	memcpy(head + 4, &check, 4);
	memcpy(head + 8, &sum, 8);
}

int64_t
history_disk_length(const char head[ENTRY_HEAD])
{
	uint32_t length, check;

	memcpy(&length, head, 4);
	memcpy(&check, head + 4, 4);
	if (le32toh(check) != length_check(length) || le32toh(length) > HISTORY_BODY)
		return -1;
	return le32toh(length);
}

bool
history_disk_check(const char head[ENTRY_HEAD], struct slice body)
{
	uint64_t sum;

	memcpy(&sum, head + 8, 8);
	return le64toh(sum) == hash_stable(body);
}

void
history_disk_header(const struct history *h, struct buf *out)
{
	struct buf name = {0};

	url_escape(&name, (struct slice){h->key + 1, h->key_len - 1});
	buf_adds(out, "{\"kandil\":\"history\",\"version\":1,");
	buf_addf(out, "\"epoch\":\"%016" PRIx64 "\",", h->epoch);
	buf_addf(out, "\"private\":%s,\"topic\":\"%s\"}\n", h->key[0] == '1' ? "true" : "false",
	    name.ptr ? name.ptr : "");
	buf_free(&name);
}

bool
history_disk_read_header(struct slice line, struct buf *key, uint64_t *epoch)
{
	struct slice private, version, topic;
	struct buf text = {0};
	char *end = NULL;
	bool good = json_check(line, NULL) == 0 && json_type(line) == JSON_OBJECT &&
	    json_get(line, "version", &version) && slice_is(version, "1") &&
	    json_get(line, "private", &private) && json_get_text(line, "epoch", &text) &&
	    text.len == 16;

	if (good) {
		errno = 0;
		*epoch = strtoull(text.ptr, &end, 16);
		good = errno == 0 && *end == '\0' && json_get(line, "topic", &topic) &&
		    json_get_text(line, "topic", &text);
	}
	if (good) {
		buf_addc(key, json_type(private) == JSON_TRUE ? '1' : '0');
		url_unescape(key, buf_slice(&text));
		good = key->len - 1 <= HISTORY_NAME;
	}
	buf_free(&text);
	return good;
}

void
history_disk_name(struct slice key, struct buf *out)
{
	size_t from = out->len;

	buf_adds(out, key.ptr[0] == '1' ? "private." : "public.");
	url_escape(out, (struct slice){key.ptr + 1, key.len - 1});
	if (out->len - from > NAME_MOST) {
		struct sha256 digest = crypto_sha256(key);

		/* Short enough for every file system, and no two topics can be made to meet. */
		buf_cut(out, from + NAME_CUT);
		buf_addc(out, '+'); /* which is in no escaped name */
		crypto_hex(out, digest.bytes, sizeof(digest.bytes));
	}
	buf_adds(out, ".history");
}

int
history_disk_copy(int from, uint64_t at, int to, uint64_t to_at, uint64_t bytes)
{
	char piece[COPY];

	while (bytes) {
		ssize_t n = pread(from, piece, bytes < COPY ? bytes : COPY, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		if (store_write(to, to_at, (struct slice){piece, (size_t)n}, S("")) != 0)
			return -1;
		at += (uint64_t)n;
		to_at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}
