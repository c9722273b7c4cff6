#include "common/crypto_part.h"

#include "common/crypto.h"
#include "common/mem.h"
#include "common/secret.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>

/* P-256: R and S, 32 bytes each (RFC 7518 section 3.4); as DER at most 72. */
enum { EC_NUMBER = 32, EC_RAW = 2 * EC_NUMBER, EC_DER = 80, EXPONENT_BITS = 64 };

static const struct {
	const char *name;
	enum crypto_kind kind;
	const EVP_MD *(*digest)(void);
} algs[] = {
	[CRYPTO_NONE] = {"none", CRYPTO_NO_KIND, NULL},
	[CRYPTO_HS256] = {"HS256", CRYPTO_SECRET, EVP_sha256},
	[CRYPTO_HS384] = {"HS384", CRYPTO_SECRET, EVP_sha384},
	[CRYPTO_HS512] = {"HS512", CRYPTO_SECRET, EVP_sha512},
	[CRYPTO_RS256] = {"RS256", CRYPTO_RSA, EVP_sha256},
	[CRYPTO_RS384] = {"RS384", CRYPTO_RSA, EVP_sha384},
	[CRYPTO_RS512] = {"RS512", CRYPTO_RSA, EVP_sha512},
	[CRYPTO_ES256] = {"ES256", CRYPTO_EC, EVP_sha256},
};
enum { ALGS = sizeof(algs) / sizeof(*algs) };

enum crypto_alg
crypto_alg(struct slice name)
{
	for (int i = CRYPTO_NONE + 1; i < ALGS; i++)
		if (slice_is(name, algs[i].name))
			return (enum crypto_alg)i;
	return CRYPTO_NONE;
}

const char *
crypto_alg_name(enum crypto_alg alg)
{
	return algs[alg].name;
}

enum crypto_kind
crypto_alg_kind(enum crypto_alg alg)
{
	return algs[alg].kind;
}

/* ---- keys ---- */

int
crypto_key_secret(struct crypto_key **key, struct slice secret, struct err *e)
{
	*key = NULL;
	if (secret.len < CRYPTO_SECRET_MIN)
		return err_set(e, "bad_key", "a secret of %zu bytes is too short: %d or more",
		    secret.len, CRYPTO_SECRET_MIN);
	if (secret.len > INT_MAX) /* HMAC()'s own limit */
		return err_set(e, "bad_key", "a secret of %zu bytes is too long", secret.len);
	*key = xcalloc(1, sizeof(**key));
	(*key)->kind = CRYPTO_SECRET;
	(*key)->private = true;
	buf_addslice(&(*key)->secret, secret);
	return 0;
}

/*
 * An even modulus or an exponent of 1 would make every signature good. A large
 * exponent makes verifying slow, which others pay us for.
 */
static int
check_rsa(EVP_PKEY *pkey, struct err *e)
{
	BIGNUM *n = NULL, *x = NULL;
	int bits = EVP_PKEY_get_bits(pkey), rc = 0;

	if (bits < CRYPTO_RSA_MIN || bits > CRYPTO_RSA_MAX)
		return err_set(e, "bad_key", "an RSA key of %d bits: %d to %d are taken", bits,
		    CRYPTO_RSA_MIN, CRYPTO_RSA_MAX);
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &x) != 1 || !BN_is_odd(n) ||
	    !BN_is_odd(x) || BN_is_one(x) || BN_num_bits(x) > EXPONENT_BITS)
		rc = err_set(e, "bad_key", "no RSA key: its modulus or its exponent is wrong");
	BN_free(n);
	BN_free(x);
	return rc;
}

static int
check_ec(EVP_PKEY *pkey, struct err *e)
{
	EVP_PKEY_CTX *ctx;
	char group[64];
	bool good;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, SN_X9_62_prime256v1) != 0)
		return err_set(e, "bad_key", "an elliptic curve other than P-256");
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	good = ctx && EVP_PKEY_public_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return good ? 0 : err_set(e, "bad_key", "no EC key: its point is not on the curve");
}

int
crypto_key_of(struct crypto_key **key, EVP_PKEY *pkey, bool private, struct err *e)
{
	enum crypto_kind kind = CRYPTO_NO_KIND;
	int rc;

	*key = NULL;
	if (EVP_PKEY_is_a(pkey, "RSA") == 1)
		kind = CRYPTO_RSA;
	else if (EVP_PKEY_is_a(pkey, "EC") == 1)
		kind = CRYPTO_EC;
	rc = kind == CRYPTO_RSA ? check_rsa(pkey, e)
	    : kind == CRYPTO_EC ? check_ec(pkey, e)
				: err_set(e, "bad_key", "a key of another kind than RSA and P-256");
	/* What is left in the queue would be taken for a failure of the next TLS connection. */
	ERR_clear_error();
	if (rc < 0) {
		EVP_PKEY_free(pkey);
		return -1;
	}
	*key = xcalloc(1, sizeof(**key));
	**key = (struct crypto_key){.kind = kind, .private = private, .pkey = pkey};
	return 0;
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int
no_password(char *text, int size, int writing, void *asked)
{
	(void)text, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

int
crypto_key_pem(struct crypto_key **key, struct slice pem, struct err *e)
{
	EVP_PKEY *pkey = NULL;
	bool asked = false;
	BIO *bio;

	*key = NULL;
	if (pem.len <= INT_MAX && (bio = BIO_new_mem_buf(pem.ptr, (int)pem.len)) != NULL) {
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
		BIO_free(bio);
	}
	ERR_clear_error();
	if (asked)
		return err_set(e, "bad_key",
		    "the key is encrypted: openssl pkey -in FILE -out FILE2 takes that off");
	if (pkey == NULL)
		return err_set(e, "bad_key", "no private key in PEM is in it");
	return crypto_key_of(key, pkey, true, e);
}

void
crypto_key_free(struct crypto_key *key)
{
	if (key == NULL)
		return;
	secret_wipe(&key->secret);
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum crypto_kind
crypto_key_kind(const struct crypto_key *key)
{
	return key->kind;
}

bool
crypto_key_private(const struct crypto_key *key)
{
	return key->private;
}

bool
crypto_key_serves(const struct crypto_key *key, enum crypto_alg alg)
{
	return alg != CRYPTO_NONE && crypto_alg_kind(alg) == key->kind &&
	    (key->only == CRYPTO_NONE || key->only == alg);
}

enum crypto_alg
crypto_key_alg(const struct crypto_key *key)
{
	if (key->only != CRYPTO_NONE)
		return key->only;
	return key->kind == CRYPTO_SECRET ? CRYPTO_HS256
	    : key->kind == CRYPTO_RSA	  ? CRYPTO_RS256
					  : CRYPTO_ES256;
}

/* ---- signatures ---- */

/* The message's MAC; its length, 0 when the library fails. */
static size_t
mac(const struct crypto_key *key, enum crypto_alg alg, struct slice message,
    unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned len = 0;

	if (!HMAC(algs[alg].digest(), key->secret.ptr, (int)key->secret.len,
	    (const unsigned char *)message.ptr, message.len, out, &len))
		return 0;
	return len;
}

/* R || S as the DER that OpenSSL wants; its length, 0 when it is none. */
static size_t
ec_to_der(struct slice raw, unsigned char der[EC_DER])
{
	const unsigned char *p = (const unsigned char *)raw.ptr;
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r, *s;
	unsigned char *end = der;
	int len = 0;

	if (signature == NULL || raw.len != EC_RAW) {
		ECDSA_SIG_free(signature);
		return 0;
	}
	r = BN_bin2bn(p, EC_NUMBER, NULL);
	s = BN_bin2bn(p + EC_NUMBER, EC_NUMBER, NULL);
	if (r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		if (i2d_ECDSA_SIG(signature, NULL) <= EC_DER)
			len = i2d_ECDSA_SIG(signature, &end);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(signature);
	return len > 0 ? (size_t)len : 0;
}

static bool
ec_from_der(const unsigned char *der, size_t len, unsigned char raw[EC_RAW])
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool good = signature &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, EC_NUMBER) == EC_NUMBER &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + EC_NUMBER, EC_NUMBER) == EC_NUMBER;

	ECDSA_SIG_free(signature);
	return good;
}

static bool
verify_public(const struct crypto_key *key, enum crypto_alg alg, struct slice message,
    struct slice signature)
{
	const unsigned char *sig = (const unsigned char *)signature.ptr;
	unsigned char der[EC_DER];
	size_t len = signature.len;
	EVP_MD_CTX *ctx;
	bool good;

	if (key->kind == CRYPTO_EC) {
		len = ec_to_der(signature, der);
		sig = der;
	}
	ctx = len ? EVP_MD_CTX_new() : NULL;
	good = ctx &&
	    EVP_DigestVerifyInit(ctx, NULL, algs[alg].digest(), NULL, key->pkey) == 1 &&
	    EVP_DigestVerify(ctx, sig, len, (const unsigned char *)message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

bool
crypto_verify(const struct crypto_key *key, enum crypto_alg alg, struct slice message,
    struct slice signature)
{
	unsigned char want[EVP_MAX_MD_SIZE];
	size_t len;

	if (!crypto_key_serves(key, alg))
		return false;
	if (key->kind != CRYPTO_SECRET)
		return verify_public(key, alg, message, signature);
	len = mac(key, alg, message, want);
	return len && signature.len == len && crypto_equal(signature.ptr, want, len);
}

static bool
sign_private(const struct crypto_key *key, enum crypto_alg alg, struct slice message,
    struct buf *out)
{
	unsigned char raw[EC_RAW], made[CRYPTO_RSA_MAX / 8];
	size_t len = sizeof(made);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx &&
	    EVP_DigestSignInit(ctx, NULL, algs[alg].digest(), NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, made, &len, (const unsigned char *)message.ptr, message.len) == 1;

	EVP_MD_CTX_free(ctx);
	if (good && key->kind == CRYPTO_EC) {
		good = ec_from_der(made, len, raw);
		buf_add(out, raw, good ? sizeof(raw) : 0);
	} else if (good) {
		buf_add(out, made, len);
	}
	ERR_clear_error();
	return good;
}

int
crypto_sign(const struct crypto_key *key, enum crypto_alg alg, struct slice message,
    struct buf *out, struct err *e)
{
	unsigned char made[EVP_MAX_MD_SIZE];
	size_t from = out->len;

	if (!key->private || !crypto_key_serves(key, alg))
		return err_set(e, "bad_key", "the key does not sign by %s", crypto_alg_name(alg));
	if (key->kind == CRYPTO_SECRET) {
		buf_add(out, made, mac(key, alg, message, made));
	} else if (!sign_private(key, alg, message, out)) {
		buf_cut(out, from);
	}
	if (out->len > from &&
	    crypto_verify(key, alg, message, (struct slice){out->ptr + from, out->len - from}))
		return 0;
	buf_cut(out, from);
	return err_set(e, "bad_key", "the key cannot sign: its parts do not belong together");
}
