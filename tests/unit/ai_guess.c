/* What a schema says of a reply's length. */
#include "tests/unit/check.h"
#include "tools/ai/guess.h"
#include "tools/ai/price.h"

#include "common/json.h"

/* A reply that fits takes no more than is guessed, by the same count of tokens. */
static void
covers(const char *schema, const char *reply, long long most)
{
	long long n = guess_tokens(slice(schema));

	CHECK(n >= price_tokens(slice(reply)));
	CHECK(n <= most);
}

int
main(void)
{
	static const char *const open[] = {"{}", "true", "{\"type\":\"string\"}", "{\"type\":\"object\"}",
	    "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}",
	    "{\"type\":[\"null\",\"string\"]}", "{\"anyOf\":[{\"const\":1},{\"type\":\"string\"}]}",
	    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"$ref\":\"#\"}}}",
	    ("{\"type\":\"array\",\"maxItems\":1000000,\"items\":{\"type\":\"array\",\"maxItems\":1000000,"
	     "\"items\":{\"type\":\"array\",\"maxItems\":9223372036854775807,\"items\":{\"const\":1}}}}"),
	    "{\"type\":\"string\",\"maxLength\":9223372036854775807}", "{\"type\":7}", "{\"enum\":7}"};
	struct buf deep = {0};

	covers("{\"type\":\"integer\"}", "-12345678", 10);
	covers("{\"enum\":[\"good\",\"bad\",null]}", "\"good\"", 10);
	covers("{\"type\":\"object\",\"required\":[\"mood\"],\"properties\":{\"mood\":{\"enum\":[\"good\","
	       "\"bad\"]},\"score\":{\"type\":\"number\"},\"sure\":{\"type\":[\"boolean\",\"null\"]}}}",
	    "{\n  \"mood\": \"good\",\n  \"score\": 0.25,\n  \"sure\": false\n}", 60);
	covers("{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\",\"maxLength\":30}}",
	    "[\"a text of thirty letters here!\",\"a text of thirty letters here!\",\"\"]", 80);
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		CHECK(guess_tokens(slice(open[i])) == 0);
	for (int i = 0; i < 500; i++)
		buf_adds(&deep, "{\"anyOf\":[");
	buf_adds(&deep, "{\"const\":1}");
	for (int i = 0; i < 500; i++)
		buf_adds(&deep, "]}");
	CHECK(guess_tokens(buf_slice(&deep)) == 0);
	buf_free(&deep);
	return check_done();
}
