/*
 * JSON Web Keys into OpenSSL's. Member names are those of RFC 7518 section 6.
 */
#include "common/crypto_part.h"

#include "common/base64.h"
#include "common/json.h"
#include "common/secret.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/* Bytes of a coordinate of P-256, and the longest number of an RSA key. */
enum { EC_NUMBER = 32, RSA_NUMBER = CRYPTO_RSA_MAX / 8 };

/* A member in base64url: 1, 0 when it is not there, -1 with e when it is no such thing. */
static int
get_bytes(struct slice jwk, const char *name, struct buf *out, struct err *e)
{
	struct slice value;

	buf_reset(out);
	if (!json_get(jwk, name, &value))
		return 0;
	if (json_type(value) != JSON_STRING || value.len < 3 ||
	    !base64url_get(out, (struct slice){value.ptr + 1, value.len - 2}))
		return err_set(e, "bad_key", "member '%s' of a key is not base64url", name);
	return 1;
}

/* A key's parts while they are gathered: the builder refers to them and copies nothing. */
struct parts {
	OSSL_PARAM_BLD *build;
	BIGNUM *numbers[8];
	size_t n;
	unsigned char point[1 + 2 * EC_NUMBER];
	struct buf bytes;
	bool failed; /* of the library */
};

static void
add_number(struct parts *p, const char *param)
{
	BIGNUM *number = BN_new();

	if (number)
		p->numbers[p->n++] = number;
	if (!number || p->bytes.len > INT_MAX ||
	    !BN_bin2bn((const unsigned char *)p->bytes.ptr, (int)p->bytes.len, number) ||
	    OSSL_PARAM_BLD_push_BN(p->build, param, number) != 1)
		p->failed = true;
}

static void
free_parts(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		BN_clear_free(p->numbers[i]);
	OSSL_PARAM_BLD_free(p->build);
	secret_wipe(&p->bytes);
}

/* What was gathered as a key of that type. */
static int
make(struct parts *p, const char *type, bool private, struct crypto_key **key, struct err *e)
{
	OSSL_PARAM *params = p->failed ? NULL : OSSL_PARAM_BLD_to_param(p->build);
	EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
	    params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	if (pkey == NULL)
		return err_set(e, "bad_key", "openssl takes no %s key of these parts", type);
	return crypto_key_of(key, pkey, private, e);
}

/* n and e; with d the private parts: all of p, q, dp, dq, qi, or none of them. */
static int
rsa(struct parts *p, struct slice jwk, bool *private, struct err *e)
{
	static const struct {
		const char *name, *param;
	} parts[] = {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E},
	    {"d", OSSL_PKEY_PARAM_RSA_D}, {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
	    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2}, {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
	    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
	enum { PUBLIC = 2, ALONE = 3, ALL = 8 };
	struct slice ignored;
	size_t i = 0;
	int found;

	if (json_get(jwk, "oth", &ignored))
		return err_set(e, "bad_key", "RSA keys of more than two primes are not taken");
	for (; i < ALL; i++) {
		if ((found = get_bytes(jwk, parts[i].name, &p->bytes, e)) < 0)
			return -1;
		if (found == 0)
			break;
		if (p->bytes.len > RSA_NUMBER + 1)
			return err_set(e, "bad_key", "an RSA key of more than %d bits",
			    CRYPTO_RSA_MAX);
		add_number(p, parts[i].param);
	}
	if (i < PUBLIC || (i > ALONE && i < ALL))
		return err_set(e, "bad_key", "an RSA key lacks its member '%s'", parts[i].name);
	*private = i > PUBLIC;
	return 0;
}

/*
 * x and y, of full length each (RFC 7518 section 6.2.1.2), as a point that is not compressed (04,
 * SEC 1 section 2.3.3), and d.
 */
static int
ec(struct parts *p, struct slice jwk, bool *private, struct err *e)
{
	static const char *const names[] = {"x", "y", "d"};
	int found = 0;

	p->point[0] = 0x04;
	for (size_t i = 0; i < 3; i++) {
		if ((found = get_bytes(jwk, names[i], &p->bytes, e)) < 0)
			return -1;
		if (found == 0 && i == 2)
			break;
		if (p->bytes.len != EC_NUMBER)
			return err_set(e, "bad_key",
			    "member '%s' of an EC key has %zu bytes: %d are due", names[i],
			    p->bytes.len, EC_NUMBER);
		if (i < 2)
			memcpy(p->point + 1 + i * EC_NUMBER, p->bytes.ptr, EC_NUMBER);
	}
	*private = found == 1;
	if (*private)
		add_number(p, OSSL_PKEY_PARAM_PRIV_KEY);
	if (OSSL_PARAM_BLD_push_utf8_string(p->build, OSSL_PKEY_PARAM_GROUP_NAME,
	    SN_X9_62_prime256v1, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(p->build, OSSL_PKEY_PARAM_PUB_KEY, p->point,
	    sizeof(p->point)) != 1)
		p->failed = true;
	return 0;
}

static int
asymmetric(struct crypto_key **key, struct slice jwk, enum crypto_kind kind, struct err *e)
{
	struct parts parts = {.build = OSSL_PARAM_BLD_new()};
	bool private = false;
	int rc;

	if (parts.build == NULL)
		return err_set(e, "bad_key", "openssl is out of memory");
	rc = (kind == CRYPTO_RSA ? rsa : ec)(&parts, jwk, &private, e);
	if (rc == 0)
		rc = make(&parts, kind == CRYPTO_RSA ? "RSA" : "EC", private, key, e);
	free_parts(&parts);
	return rc;
}

static int
symmetric(struct crypto_key **key, struct slice jwk, struct err *e)
{
	struct buf secret = {0};
	int rc = get_bytes(jwk, "k", &secret, e);

	if (rc == 0)
		rc = err_set(e, "bad_key", "a key of type oct lacks its member 'k'");
	if (rc > 0)
		rc = crypto_key_secret(key, buf_slice(&secret), e);
	secret_wipe(&secret);
	return rc;
}

/* Whether use and key_ops (RFC 7517 sections 4.2, 4.3) let it sign or verify. */
static bool
for_signatures(struct slice jwk)
{
	struct slice value, op;
	struct json_walk walk;

	if (json_get(jwk, "use", &value) && !json_is(value, "sig"))
		return false;
	if (!json_get(jwk, "key_ops", &value))
		return true;
	walk = json_walk(value);
	while (json_element(&walk, &op))
		if (json_is(op, "verify") || json_is(op, "sign"))
			return true;
	return false;
}

int
crypto_key_jwk(struct crypto_key **key, struct slice jwk, struct err *e)
{
	enum crypto_alg only = CRYPTO_NONE;
	enum crypto_kind kind;
	struct slice type, value;
	int rc;

	*key = NULL;
	if (json_type(jwk) != JSON_OBJECT || !json_get(jwk, "kty", &type))
		return err_set(e, "bad_key", "no JSON Web Key: it has no member 'kty'");
	kind = json_is(type, "RSA") ? CRYPTO_RSA : json_is(type, "EC") ? CRYPTO_EC
	    : json_is(type, "oct")  ? CRYPTO_SECRET
				    : CRYPTO_NO_KIND;
	if (kind == CRYPTO_NO_KIND || !for_signatures(jwk))
		return 1;
	if (kind == CRYPTO_EC && !(json_get(jwk, "crv", &value) && json_is(value, "P-256")))
		return 1;
	if (json_get(jwk, "alg", &value)) {
		struct buf name = {0};

		json_text(value, &name);
		only = crypto_alg(buf_slice(&name));
		buf_free(&name);
		if (only == CRYPTO_NONE || crypto_alg_kind(only) != kind)
			return 1;
	}
	rc = kind == CRYPTO_SECRET ? symmetric(key, jwk, e) : asymmetric(key, jwk, kind, e);
	if (rc == 0)
		(*key)->only = only;
	return rc;
}
