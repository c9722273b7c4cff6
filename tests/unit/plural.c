/*
 * plural and locale. With the argument "dump" it prints, for the comparison
 * with ICU in translate.bats, one line a locale and number read from stdin:
 *	locale TAB number  →  locale TAB number TAB category
 */
#include "tests/unit/check.h"

#include "common/locale.h"
#include "common/plural.h"

#include <stdlib.h>

static const char *const languages[] = {"af", "ak", "am", "ar", "as", "ast", "az", "be", "bg",
    "bn", "br", "bs", "ca", "cs", "cy", "da", "de", "dsb", "el", "en", "es", "et", "eu", "fa",
    "fi", "fil", "fr", "ga", "gd", "gl", "gu", "gv", "he", "hi", "hr", "hsb", "hu", "hy", "id",
    "is", "it", "iu", "ja", "ka", "kk", "ko", "ksh", "kw", "lag", "lt", "lv", "mk", "mn", "mt",
    "naq", "nb", "nl", "pl", "prg", "pt", "pt-PT", "ro", "ru", "sat", "se", "shi", "si", "sk",
    "sl", "sq", "sr", "sv", "sw", "ta", "th", "tr", "tzm", "uk", "ur", "uz", "vi", "zh", "zu"};

enum { LANGUAGES = sizeof(languages) / sizeof(*languages) };

static const char *
category(const char *locale, const char *number)
{
	const struct plural_rules *r = plural_rules(slice(locale));

	return r ? plural_name(plural_of_integer(r, strtoul(number, NULL, 10))) : "unknown";
}

/* facts: what the CLDR charts say of numbers that are easily got wrong. */
static void
test_select(void)
{
	static const char *const cases[][3] = {{"ar", "0", "zero"}, {"ar", "1", "one"},
	    {"ar", "2", "two"}, {"ar", "103", "few"}, {"ar", "111", "many"}, {"ar", "100", "other"},
	    {"en", "1", "one"}, {"fr", "0", "one"}, {"fr", "2", "other"}, {"fr", "1000000", "many"},
	    {"fr", "1200000", "other"}, {"es", "1000000", "many"}, {"es", "0", "other"},
	    {"ru", "21", "one"}, {"ru", "11", "many"}, {"pl", "21", "many"}, {"cs", "5", "other"},
	    {"pt-PT", "0", "other"}, {"pt", "0", "one"}, {"pt_AO", "0", "other"}, {"iw", "2", "two"},
	    {"fr_CA.UTF-8", "0", "one"}, {"zh-TW", "1", "other"}, {"sr@latin", "22", "few"},
	    {"xx", "1", "unknown"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_TEXT(category(cases[i][0], cases[i][1]), cases[i][2]);
}

static const char *
set_text(plural_set set)
{
	static char text[80];

	*text = '\0';
	for (int i = 0; i < PLURAL_CATEGORIES; i++)
		if (set & 1U << i)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			    *text ? " " : "", plural_name((enum plural_category)i));
	return text;
}

static void
test_sets(void)
{
	unsigned long n = 0;

	CHECK_TEXT(set_text(plural_needed(plural_rules(S("ar")))), "zero one two few many other");
	CHECK_TEXT(set_text(plural_single(plural_rules(S("ar")))), "zero one two");
	CHECK_TEXT(set_text(plural_all(plural_rules(S("es")))), "one many other");
	CHECK_TEXT(set_text(plural_needed(plural_rules(S("es")))), "one other");
	CHECK_TEXT(set_text(plural_single(plural_rules(S("es")))), "one");
	CHECK_TEXT(set_text(plural_single(plural_rules(S("fr")))), "");
	CHECK_TEXT(set_text(plural_single(plural_rules(S("ru")))), "");
	CHECK_TEXT(set_text(plural_single(plural_rules(S("he")))), "two");
	CHECK_TEXT(set_text(plural_needed(plural_rules(S("cs")))), "one few other");
	CHECK_TEXT(set_text(plural_needed(plural_rules(S("ja")))), "other");
	CHECK_TEXT(set_text(plural_all(plural_ordinals(S("en")))), "one two few other");
	CHECK(plural_example(plural_rules(S("ar")), PLURAL_MANY, &n) && n == 11);
	CHECK(!plural_example(plural_rules(S("cs")), PLURAL_MANY, &n));
	CHECK(plural_example(plural_rules(S("ar")), PLURAL_FEW, &n) && n == 3);
}

/* The example of every category of every language is of that category. */
static void
test_examples(void)
{
	for (size_t i = 0; i < LANGUAGES; i++) {
		const struct plural_rules *r = plural_rules(slice(languages[i]));
		unsigned long n;

		CHECK(r != NULL);
		for (enum plural_category c = 0; r && c < PLURAL_CATEGORIES; c++)
			if (plural_example(r, c, &n))
				CHECK_TEXT(plural_name(plural_of_integer(r, n)), plural_name(c));
	}
}

/* Each language's own header, evaluated, agrees with CLDR on whole numbers. */
static void
test_headers(void)
{
	/* The catalogues' usual forms are coarser than CLDR, or older, here. */
	static const char *const coarser[] = {"he", "lv", "pt-PT"};

	for (size_t i = 0; i < LANGUAGES; i++) {
		const struct plural_rules *r = plural_rules(slice(languages[i]));
		struct plural_expr expr;
		enum plural_category forms[PLURAL_FORMS_MAX];
		struct buf header = {0};
		struct err e;
		unsigned wrong = 0;
		bool skip = false;

		CHECK(plural_po_header(slice(languages[i]), &header));
		CHECK(plural_expr_parse(buf_slice(&header), &expr, &e) == 0);
		plural_expr_categories(&expr, r, forms);
		for (unsigned long n = 0; n <= 1100; n++)
			wrong += forms[plural_expr_eval(&expr, n)] != plural_of_integer(r, n);
		for (size_t k = 0; k < sizeof(coarser) / sizeof(*coarser); k++)
			skip |= strcmp(coarser[k], languages[i]) == 0;
		if (wrong && !skip)
			fprintf(
			    stderr, "%s: %u of 1101 differ: %s\n", languages[i], wrong, header.ptr);
		CHECK(skip || wrong == 0);
		buf_free(&header);
	}
	struct buf b = {0};
	CHECK(!plural_po_header(S("xx"), &b));
	CHECK(plural_po_header(S("ar_EG"), &b));
	CHECK_TEXT(b.ptr, "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && "
			  "n%100<=10 ? 3 : n%100>=11 ? 4 : 5);");
	buf_free(&b);
}

static unsigned long
eval(const char *text, unsigned long n)
{
	struct plural_expr expr;

	return plural_expr_parse(slice(text), &expr, NULL) < 0 ? 999 : plural_expr_eval(&expr, n);
}

static void
test_expressions(void)
{
	char deep[600];

	CHECK(eval("n != 1", 1) == 0 && eval("n != 1", 2) == 1);
	CHECK(eval("nplurals=2; plural=n>1", 5) == 1);
	CHECK(eval("nplurals = 2 ; plural = (n > 1) ;\n", 0) == 0);
	CHECK(eval("1+2*3-4/2%3", 0) == 5);
	CHECK(eval("n?1?2:3:4", 1) == 2 && eval("n?1?2:3:4", 0) == 4);
	CHECK(eval("!n || n%2 && !(n==3)", 5) == 1 && eval("!n || n%2 && !(n==3)", 3) == 0);
	CHECK(eval("n/0", 5) == 0 && eval("n%(n-n)", 5) == 0);
	CHECK(eval("nplurals=2; plural=n;", 7) == 1); /* beyond: the last */
	CHECK(eval("nplurals=0; plural=0;", 0) == 999 && eval("nplurals=17; plural=0;", 0) == 999);
	CHECK(eval("", 0) == 999 && eval("n n", 0) == 999 && eval("(n", 0) == 999);
	CHECK(eval("n?1", 0) == 999 && eval("system(1)", 0) == 999 && eval("n=1", 0) == 999);
	memset(deep, '(', 500);
	deep[500] = '\0';
	CHECK(eval(deep, 0) == 999);
	memset(deep, '!', 500);
	CHECK(eval(deep, 0) == 999);
	for (size_t i = 0; i < 500; i++)
		deep[i] = i % 2 ? '+' : 'n';
	CHECK(eval(deep, 0) == 999);
}

static const char *
canonical(const char *name)
{
	static char out[LOCALE_MAX];

	return locale_canonical(slice(name), out) ? out : "bad";
}

static void
test_locales(void)
{
	static const char *const cases[][2] = {{"fr_CA.UTF-8", "fr-CA"}, {"EN-us", "en-US"},
	    {"zh_hant_tw", "zh-Hant-TW"}, {"iw", "he"}, {"iw_IL", "he-IL"}, {"in", "id"},
	    {"sr@latin", "sr-Latn"}, {"sh", "sr-Latn"}, {"ca@valencia", "ca"}, {"es_419", "es-419"},
	    {"ca-ES-VALENCIA", "ca-ES-valencia"}, {"ar-u-nu-latn", "ar"}, {"de_DE@euro", "de-DE"},
	    {"C", "bad"}, {"POSIX", "bad"}, {"", "bad"}, {"e", "bad"}, {"fr--CA", "bad"},
	    {"../etc", "bad"}, {"fr/CA", "bad"}, {"toolonglanguage", "bad"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_TEXT(canonical(cases[i][0]), cases[i][1]);
	CHECK(locale_exists(S("ar")) && locale_exists(S("pt_BR")) && locale_exists(S("es-419")));
	CHECK(
	    locale_exists(S("en-XA")) && locale_exists(S("ar-XB")) && locale_exists(S("zh-Hant")));
	CHECK(!locale_exists(S("xx")) && !locale_exists(S("fr-ZQ")) && !locale_exists(S("en-XB")));
	CHECK(!locale_exists(S("ar-Qqqq")) && !locale_exists(S("")) && !locale_exists(S("arabic")));
	CHECK_TEXT(locale_nearest(S("Arabic")), "ar");
	CHECK_TEXT(locale_nearest(S("french")), "fr");
	CHECK_TEXT(locale_nearest(S("spanich")), "es");
	CHECK_TEXT(locale_nearest(S("fr-ZQ")), "fr");
	CHECK(locale_nearest(S("xx")) == NULL);
	CHECK(locale_rtl(S("ar")) && locale_rtl(S("he_IL")) && locale_rtl(S("ur")));
	CHECK(!locale_rtl(S("fr")) && !locale_rtl(S("az")) && locale_rtl(S("az-Arab")));
	char name[LOCALE_MAX] = "es-MX";
	CHECK(locale_parent(name) && strcmp(name, "es-419") == 0);
	CHECK(locale_parent(name) && strcmp(name, "es") == 0);
	CHECK(!locale_parent(name) && !*name);
}

static void
dump(void)
{
	char line[200];

	while (fgets(line, sizeof(line), stdin)) {
		char *tab = strchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		if (!tab)
			continue;
		*tab = '\0';
		printf("%s\t%s\t%s\n", line, tab + 1, category(line, tab + 1));
	}
}

int
main(int argc, char **argv)
{
	die_name("plural");
	if (argc > 1 && strcmp(argv[1], "dump") == 0) {
		dump();
		return 0;
	}
	test_select();
	test_sets();
	test_examples();
	test_headers();
	test_expressions();
	test_locales();
	return check_done();
}
