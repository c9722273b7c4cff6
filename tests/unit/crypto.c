#include "common/crypto.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const char *
hex(struct sha256 sum)
{
	static struct buf b;

	buf_reset(&b);
	crypto_hex(&b, sum.bytes, sizeof(sum.bytes));
	return b.ptr;
}

int
main(void)
{
	struct crypto_hash h = {0};
	struct buf text = {0};
	unsigned seed = 3;
	int unlike = 0;

	/* FIPS 180-4's examples. */
	CHECK_TEXT(hex(crypto_sha256(S("abc"))),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_TEXT(hex(crypto_sha256(S(""))),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_TEXT(hex(crypto_hash_end(&h)), hex(crypto_sha256(S(""))));
	/* Any cut into pieces gives the same sum, on one context. */
	for (int i = 0; i < 5000; i++)
		buf_addc(&text, (char)rand_r(&seed));
	for (int round = 0; round < 200; round++) {
		struct slice rest = {text.ptr, (size_t)rand_r(&seed) % text.len};
		struct sha256 want = crypto_sha256(rest), got;

		while (rest.len) {
			size_t n = 1 + (size_t)rand_r(&seed) % rest.len;

			crypto_hash_add(&h, (struct slice){rest.ptr, n});
			rest.ptr += n;
			rest.len -= n;
		}
		got = crypto_hash_end(&h);
		unlike += memcmp(&got, &want, sizeof(got)) != 0;
	}
	CHECK(unlike == 0);
	crypto_hash_free(&h);
	buf_free(&text);
	return check_done();
}
