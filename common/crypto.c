#include "common/crypto.h"

#include "common/die.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

/* Looked up once: OpenSSL 3 searches its providers each time otherwise. */
static const EVP_MD *
digest(void)
{
	static EVP_MD *md;

	if (!md && !(md = EVP_MD_fetch(NULL, "SHA256", NULL)))
		die(STATUS_FAILED, "openssl has no SHA-256: look at its openssl.cnf");
	return md;
}

static void
must(int ok)
{
	if (ok != 1)
		die(STATUS_FAILED, "openssl cannot compute a SHA-256");
}

static void
start(struct crypto_hash *h)
{
	if (!h->context)
		h->context = EVP_MD_CTX_new();
	must(h->context && EVP_DigestInit_ex2(h->context, digest(), NULL) == 1);
	h->started = true;
}

void
crypto_hash_add(struct crypto_hash *h, struct slice bytes)
{
	if (!h->started)
		start(h);
	must(EVP_DigestUpdate(h->context, bytes.ptr, bytes.len));
}

struct sha256
crypto_hash_end(struct crypto_hash *h)
{
	struct sha256 sum;
	unsigned len = 0;

	if (!h->started)
		start(h);
	must(EVP_DigestFinal_ex(h->context, sum.bytes, &len));
	must(len == SHA256_BYTES);
	h->started = false;
	return sum;
}

void
crypto_hash_free(struct crypto_hash *h)
{
	EVP_MD_CTX_free(h->context);
	*h = (struct crypto_hash){0};
}

struct sha256
crypto_sha256(struct slice bytes)
{
	static struct crypto_hash hash; /* its context is kept */

	crypto_hash_add(&hash, bytes);
	return crypto_hash_end(&hash);
}

void
crypto_hex(struct buf *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	char *at = buf_room(out, 2 * len);

	for (size_t i = 0; i < len; i++) {
		*at++ = digits[p[i] >> 4];
		*at++ = digits[p[i] & 15];
	}
	out->len += 2 * len;
	out->ptr[out->len] = '\0';
}

void
crypto_random(void *bytes, size_t len)
{
	char *at = bytes;

	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die(STATUS_FAILED, "the kernel gives no random bytes:");
		at += n;
		len -= (size_t)n;
	}
}

bool
crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
