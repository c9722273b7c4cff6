/*
 * crypto: digests, random bytes and comparing secrets, by OpenSSL, for
 * programs that link it anyway. Keys and signatures are in crypto_key.
 *
 * For keys of caches and cassettes; tables in memory use common/hash. Source:
 * FIPS 180-4. Failure of the library (no memory, a FIPS provider that lacks
 * SHA-256) ends the program.
 */
#ifndef KANDIL_CRYPTO_H
#define KANDIL_CRYPTO_H

#include "common/buf.h"

enum { SHA256_BYTES = 32 };

struct sha256 {
	unsigned char bytes[SHA256_BYTES];
};

struct sha256 crypto_sha256(struct slice);

/* Piece by piece. Zero-initialised is ready; end makes it ready again. */
struct crypto_hash {
	void *context;
	bool started;
};
void crypto_hash_add(struct crypto_hash *, struct slice);
struct sha256 crypto_hash_end(struct crypto_hash *);
void crypto_hash_free(struct crypto_hash *);

/* Appends two lower-case digits a byte. */
void crypto_hex(struct buf *, const void *bytes, size_t len);

/* Unpredictable bytes, of the kernel; waits for it early in a boot. */
void crypto_random(void *bytes, size_t len);
/* Whether they are the same, in a time that does not depend on where they differ. */
bool crypto_equal(const void *a, const void *b, size_t len);

#endif
