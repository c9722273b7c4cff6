#include "tools/collab/place_part.h"

#include "common/crypto.h"
#include "common/hash.h"
#include "common/url.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

enum {
	PART_MOST = 100, /* bytes of a part of the path */
	PART_KEPT = 60,	 /* of a longer one, before the digest */
	DIGEST = 16,	 /* bytes of it */
	RANDOM = 16,	 /* bytes of an identity */
	DIGITS = 26,
	PORT_MOST = 65535,
};

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* ---- the path ---- */

/* Appends "/" and any bytes as one name of a folder: different bytes, different names. */
static void
add_part(struct buf *out, struct slice text)
{
	struct buf part = {0};

	url_escape(&part, text);
	if (part.len && part.ptr[0] == '.')
		buf_splice(&part, 0, 1, S("%2E")); /* neither hidden nor a way up */
	buf_addc(out, '/');
	if (part.len > PART_MOST) {
		struct sha256 digest = crypto_sha256(text);

		buf_add(out, part.ptr, PART_KEPT);
		buf_addc(out, '+'); /* which is no part's own: it would be %2B */
		crypto_hex(out, digest.bytes, DIGEST);
	} else {
		buf_addslice(out, buf_slice(&part));
	}
	buf_free(&part);
}

/* Appends "/HOST_PORT" of a URL. */
static int
add_host(struct buf *out, const char *url, struct err *e)
{
	struct slice host = url_host(slice(url));
	const char *after = host.len ? host.ptr + host.len : "";
	bool tls = strncasecmp(url, "wss:", 4) == 0 || strncasecmp(url, "https:", 6) == 0;
	long port = tls ? 443 : 80;
	struct buf name = {0};
	char *end;

	if (host.len == 0 || host.ptr[strcspn(host.ptr, "@/?#")] == '@')
		return err_set(e, "bad_url", "that is no address of a hub: give https://HOST");
	if (*after == ':') {
		errno = 0;
		port = strtol(after + 1, &end, 10);
		if (end == after + 1 || strchr("/?#", *end) == NULL || port < 1 || port > PORT_MOST)
			return err_set(e, "bad_url", "the address of '%.*s' has no valid port",
			    (int)host.len, host.ptr);
	}
	for (size_t i = 0; i < host.len; i++) {
		bool upper = host.ptr[i] >= 'A' && host.ptr[i] <= 'Z';

		buf_addc(&name, (char)(upper ? host.ptr[i] + ('a' - 'A') : host.ptr[i]));
	}
	buf_addf(&name, "_%ld", port);
	add_part(out, buf_slice(&name));
	buf_free(&name);
	return 0;
}

static int
check_name(struct slice name, struct err *e)
{
	bool good = name.len >= 1 && name.len <= PLACE_NAME &&
	    utf8_valid(name.ptr, name.len) == name.len;

	for (size_t i = 0; good && i < name.len; i++)
		good = (unsigned char)name.ptr[i] >= ' ' && name.ptr[i] != 0x7f;
	if (good)
		return 0;
	return err_set(e, "bad_name",
	    "a name has 1 to %d bytes of UTF-8, no control characters: give another", PLACE_NAME);
}

int
place_path(const struct place_settings *settings, struct buf *out, struct err *e)
{
	if (check_name(settings->name, e) != 0)
		return -1;
	if (settings->topic.len == 0)
		return err_set(e, "bad_name", "a topic must have a name");
	if (add_host(out, settings->url, e) != 0)
		return -1;
	add_part(out, settings->topic);
	add_part(out, settings->name);
	return 0;
}

/* ---- the identity ---- */

void
place_identity(struct slice name, char from[PLACE_IDENTITY + 1])
{
	unsigned char random[RANDOM];
	unsigned bits = 0, have = 0;
	size_t n = name.len, i = 0;

	crypto_random(random, sizeof(random));
	memcpy(from, name.ptr, name.len);
	from[n++] = '.';
	while (n < name.len + 1 + DIGITS) {
		if (have < 5) {
			bits = bits << 8 | (i < RANDOM ? random[i] : 0);
			have += 8;
			i++;
		}
		have -= 5;
		from[n++] = alphabet[bits >> have & 31];
	}
	from[n] = '\0';
}

bool
place_is_identity(struct slice name, struct slice from)
{
	if (from.len != name.len + 1 + DIGITS ||
	    !slice_eq((struct slice){from.ptr, name.len}, name) || from.ptr[name.len] != '.')
		return false;
	for (size_t i = name.len + 1; i < from.len; i++)
		if (from.ptr[i] == '\0' || strchr(alphabet, from.ptr[i]) == NULL)
			return false;
	return true;
}
