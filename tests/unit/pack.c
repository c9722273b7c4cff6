/* pack: the format of rule packs, the pass over a source, and packs that mean ill. */
#include "common/mem.h"
#include "tests/unit/check.h"
#include "tools/extract/pack.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char file[4096];

static void
write_pack(const char *name, struct slice text)
{
	FILE *f = fopen(name, "w");

	if (f == NULL || fwrite(text.ptr, 1, text.len, f) != text.len || fclose(f) != 0) {
		perror(name);
		exit(1);
	}
}

static struct pack *
load(const char *text, struct err *e)
{
	write_pack(file, slice(text));
	return pack_load(file, e);
}

/* A line each: place, reason or rule, value, and what else there is. */
static void
list(const struct source *source, const struct found *f, void *state)
{
	struct buf *out = state;

	(void)source;
	buf_addf(out, "%zu:%zu [%zu,%zu) ", f->line, f->column, f->start, f->end);
	buf_addslice(out, f->reason.len ? f->reason : f->rule);
	buf_addc(out, '|');
	buf_addslice(out, f->value);
	for (size_t i = 0; i < f->nplaceholders; i++)
		buf_addf(out, "|%.*s=%.*s", (int)f->placeholders[i].name.len, f->placeholders[i].name.ptr,
		    (int)f->placeholders[i].expr.len, f->placeholders[i].expr.ptr);
	for (size_t i = 0; i < f->ncaptures; i++)
		buf_addf(out, "|%.*s=%.*s", (int)f->captures[i].name.len, f->captures[i].name.ptr,
		    (int)f->captures[i].expr.len, f->captures[i].expr.ptr);
	if (f->plural.len)
		buf_addf(out, "|%.*s", (int)f->plural.len, f->plural.ptr);
	buf_addc(out, '\n');
}

static const char *
scan(const char *pack_text, const char *text)
{
	static struct buf out;
	struct err e = {0};
	struct pack *pack = load(pack_text, &e);
	struct source source = {"test", slice(text)};

	buf_reset(&out);
	buf_adds(&out, "");
	if (pack == NULL || pack_scan(pack, &source, list, &out, &e) != 0)
		buf_addf(&out, "%s %zu: %s", e.code, e.line, e.text);
	pack_free(pack);
	return out.ptr;
}

#define STRINGS \
	"[syntax s]\nquotes = \" '\nescapes = \\n \\uHHHH \\xHH \\u{H}\n" \
	"interpolation = ${} $name\njoin = +\n"

static void
test_texts(void)
{
	static const char pack[] = STRINGS
	    "[rule show]\nat = show\nmatch = (?s)\\((?<text>.*?)\\)(?=\\s|$)\nlevel = core\n";

	CHECK_TEXT(scan(pack, "show(\"a\\n\\u0041\\x42\\u{1F600}\\q\")"),
	    "1:6 [5,31) show|a\nAB\xf0\x9f\x98\x80q\n");
	CHECK_TEXT(scan(pack, "show('\\ud83d\\ude00 ok \\ud83d')"),
	    "1:6 [5,29) show|\xf0\x9f\x98\x80 ok \xef\xbf\xbd\n");
	CHECK_TEXT(scan(pack, "show(\"Hi $name, ${a.getItemCount()} and ${x + 1}, $5 {b}\")"),
	    "1:6 [5,57) show|Hi {name}, {itemCount} and {value}, $5 '{'b'}'|name=name|"
	    "itemCount=a.getItemCount()|value=x + 1\n");
	CHECK_TEXT(scan(pack, "show(\"$a and $a and ${b.a}\")"),
	    "1:6 [5,27) show|{a} and {a} and {a2}|a=a|a2=b.a\n");
	CHECK_TEXT(scan(pack, "show(\"one \" +\n 'two ' + who.name + \"!\")"),
	    "1:6 [5,38) show|one two {name}!|name=who.name\n");
	/* A word is whole, a text has a letter, and columns are code points. */
	CHECK_TEXT(scan(pack, "reshow(\"a\") shows(\"a\") show(\"12 $n\") \xc3\xa9\n\xc3\xa9 show(\"a\")"),
	    "2:8 [48,51) show|a\n");
	/* Unterminated: what the pattern takes is what is read. */
	CHECK_TEXT(scan(pack, "show(\"abc)"), "1:6 [5,9) show|abc\n");
	CHECK_TEXT(scan(pack, "show(\"${abc)"), "1:6 [5,11) show|$'{'abc\n");
}

static void
test_spaces(void)
{
	CHECK_TEXT(scan("[syntax s]\nescapes = &\ninterpolation = {}\nspace = collapse\n"
			"[rule t]\nat = >\nmatch = (?<text>[^<]*)\n",
	               "<p>  two\n\t lines {\" \"} &#x26; {a.b}{/* c */}  <"),
	    "1:6 [5,35) t|two lines & {b}|b=a.b\n");
	CHECK_TEXT(scan("[syntax s]\nquotes = \"\"\"\nspace = block\n"
			"[rule t]\nmatch = (?<text>\"\"\"(?s:.*?)\"\"\")\n",
	               "x = \"\"\"\n    a\n      b\n\n    \"\"\""),
	    "1:5 [4,30) t|a\n  b\n");
	CHECK_TEXT(scan("[syntax s]\nquotes = \"\"\"\nspace = indent\n"
			"[rule t]\nmatch = (?<text>\"\"\"(?s:.*?)\"\"\")\n",
	               "x = \"\"\"\r\n    a\r\n    b\r\n\"\"\""),
	    "1:5 [4,26) t|a\nb\n");
}

/* Skips, modes, words' ends, templates of reasons, and the order of rules. */
static void
test_pass(void)
{
	static const char pack[] = "[mode tag]\nword = -\n[mode deep]\n"
				   "[skip comment]\n" "in = main tag\nat = //\nuntil = \\n\n"
				   "[skip open]\nat = <\nmatch = (?<name>\\w+)\nenter = tag\n"
				   "[skip close]\n" "in = tag\nat = >\nleave = yes\n"
				   "[skip out]\n" "in = tag\nat = !\nenter = deep\n"
				   "[skip all]\n" "in = deep\nat = .\nleave = all\n"
				   "[rule attribute]\n" "in = tag\nat = a-b *Text\nmatch = =(?<text>\\w+)\n"
				   "reason = {within}.{at}\nunless = ^no$\n"
				   "[rule word]\nmatch = (?<text>one|two)\n";

	CHECK_TEXT(scan(pack, "one // two\n<tag a-b=x Text=y myText=z a-b=no> two"),
	    "1:1 [0,3) word|one\n2:10 [20,21) tag.a-b|x\n"
	    "2:26 [36,37) tag.myText|z\n2:36 [46,49) word|two\n");
	CHECK_TEXT(scan(pack, "<tag ! one > one . one"), "1:20 [19,22) word|one\n");
	CHECK_TEXT(scan(pack, "twone"), "1:1 [0,3) word|two\n");
	CHECK_TEXT(scan("[rule p]\nmatch = (?<text>a)(?<plural>{b})\nformat = printf\n", "a{b}"),
	    "1:1 [0,1) p|a|{n, plural, one{a} other{'{'b'}'}}\n");
}

static void
test_notes(void)
{
	CHECK_TEXT(scan("kind = note\n[let]\nwho = \\w+\n"
			"[rule blocker]\nmatch = ^(?<who>@{who}) is blocked by (?<text>.+)\n"
			"[rule todo]\nmatch = TODO\n",
	               "Ann is blocked by the review\nTODO\nNobody is TODO"),
	    "1:19 [18,28) blocker|the review|who=Ann\n2:1 [29,33) todo|TODO\n3:11 [44,48) todo|TODO\n");
}

static void
expect_bad(const char *text, size_t line, const char *what)
{
	struct err e = {0};
	struct pack *pack = load(text, &e);

	CHECK(pack == NULL || pack_compile(pack, &e) != 0);
	CHECK_TEXT(e.code ? e.code : "none", "bad_pack");
	if (e.line != line || strstr(e.text, what) == NULL)
		fprintf(stderr, "%zu: %s\n", e.line, e.text);
	CHECK(e.line == line);
	CHECK(strstr(e.text, what) != NULL);
	pack_free(pack);
}

static void
test_bad_packs(void)
{
	struct buf b = {NULL, 0, 0};

	expect_bad("[rule a\n", 1, "no ']'");
	expect_bad("\n[what a]\n", 2, "unknown section 'what'");
	expect_bad("nonsense\n", 1, "neither");
	expect_bad("color = red\n", 1, "unknown key 'color'");
	expect_bad("[rule a]\nlevel = high\n", 2, "unknown level 'high'");
	expect_bad("[rule a]\nmatch = @{b}\n", 2, "nothing is defined as 'b'");
	expect_bad("[rule a]\nmatch = @{b\n", 2, "nothing is defined");
	expect_bad("[rule a]\nmatch = (?<text>a\n", 2, "rule 'a': missing closing parenthesis");
	expect_bad("[rule a]\nat = b\nmatch = c\n", 1, "no (?<text>");
	expect_bad("[rule a]\nlevel = core\n", 1, "neither 'at' nor 'match'");
	expect_bad("[rule a]\n" "in = b\n", 2, "no mode 'b'");
	expect_bad("[rule a]\nsyntax = b\n", 2, "no syntax 'b'");
	expect_bad("[skip a]\nlevel = core\n", 2, "unknown key 'level' of a skip");
	expect_bad("[syntax a]\nescapes = \\y\n", 2, "unknown escape '\\y'");
	expect_bad("[include ../other]\n", 1, "not the name of a file beside");
	expect_bad("[include absent.inc]\n", 1, "absent.inc");
	expect_bad("[let]\na = b\na = c\n", 3, "defined already");
	expect_bad("files = \xff\n", 0, "not UTF-8");
	/* A definition of definitions: a billion bytes in words of ten. */
	buf_adds(&b, "[let]\na0 = xxxxxxxxxx\n");
	for (int i = 1; i < 12; i++) {
		buf_addf(&b, "a%d = ", i);
		for (int j = 0; j < 10; j++)
			buf_addf(&b, "@{a%d}", i - 1);
		buf_addc(&b, '\n');
	}
	expect_bad(b.ptr, 6, "longer than");
	buf_reset(&b);
	for (int i = 0; i < 501; i++)
		buf_addf(&b, "[rule r%d]\nmatch = (?<text>x)\n", i);
	expect_bad(b.ptr, 1001, "more than 500 rules");
	buf_free(&b);
}

/* A file that includes itself, and one that is included by name. */
static void
test_includes(void)
{
	char other[4200];

	snprintf(other, sizeof(other), "%s.inc", file);
	write_pack(other, S("[let]\nx = one\n[rule inner]\nmatch = (?<text>@{x})\n"));
	struct buf pack = {NULL, 0, 0};

	buf_addf(&pack, "[include %s]\n[rule outer]\nmatch = (?<text>@{x}|two)\n",
	    strrchr(other, '/') + 1);
	CHECK_TEXT(scan(pack.ptr, "two one"), "1:1 [0,3) outer|two\n1:5 [4,7) inner|one\n");
	buf_reset(&pack);
	buf_addf(&pack, "[include %s]\n", strrchr(file, '/') + 1);
	expect_bad(pack.ptr, 1, "includes no other");
	buf_free(&pack);
	unlink(other);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Patterns that run away end in an error that names their rule, and the pack is done for. */
static void
test_limits(void)
{
	struct buf text = {NULL, 0, 0}, out = text;
	struct source source;
	struct err e = {0};
	struct pack *pack;
	double start = seconds();

	for (int i = 0; i < 40; i++)
		buf_addc(&text, 'a');
	buf_adds(&text, "!b");
	CHECK(strstr(scan("[rule greedy]\nmatch = (?<text>(a+)+b)\n", text.ptr), "rule_limit") != NULL);
	CHECK(strstr(scan("[rule greedy]\nmatch = (?<text>(a+)+b)\n", text.ptr), "'greedy'") != NULL);
	CHECK(strstr(scan("[rule r]\nat = a\nmatch = (?<text>.*)\nunless = (x+x+)+y\n",
	                 "a xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx!y"),
	          "rule_limit") != NULL);
	/* Each match just below the limit, and a great many of them. */
	buf_reset(&text);
	for (int i = 0; i < 60000; i++)
		buf_adds(&text, "aaaaaaaaaaaaaaaaaa!");
	buf_adds(&text, "b");
	pack = load("[rule slow]\nmatch = (?<text>(a+)+b)\n", &e);
	source = (struct source){"test", buf_slice(&text)};
	CHECK(pack_scan(pack, &source, list, &out, &e) == -1);
	CHECK(strstr(e.text, "'slow'") != NULL);
	CHECK_TEXT(e.code, "rule_limit");
	e.code = NULL;
	CHECK(pack_scan(pack, &source, list, &out, &e) == -1);
	CHECK_TEXT(e.code ? e.code : "none", "rule_limit");
	CHECK(seconds() - start < 60);
	pack_free(pack);
	/* Modes within modes. */
	buf_reset(&text);
	for (int i = 0; i < 5000; i++)
		buf_addc(&text, '(');
	CHECK(strstr(scan("[skip open]\nat = (\nenter = main\n", text.ptr), "too_deep") != NULL);
	CHECK(strstr(scan("[skip open]\nat = (\nenter = main\n", "a\n\xff"), "bad_utf8 2") != NULL);
	buf_free(&text);
	buf_free(&out);
}

static void
test_files(void)
{
	struct err e;
	struct pack *pack = load("files = *.kt !*Test.kt **/res/values/*.xml\n", &e);

	CHECK(pack_matches(pack, "a/b.kt"));
	CHECK(pack_matches(pack, "/a/b.kt"));
	CHECK(!pack_matches(pack, "a/bTest.kt"));
	CHECK(pack_matches(pack, "./app/res/values/strings.xml"));
	CHECK(pack_matches(pack, "res/values/strings.xml"));
	CHECK(!pack_matches(pack, "res/values-fr/strings.xml"));
	pack_free(pack);
	CHECK(pack_load("/nonexistent.rules", &e) == NULL);
}

int
main(void)
{
	snprintf(file, sizeof(file), "%s/pack.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	close(mkstemp(file));
	test_texts();
	test_spaces();
	test_pass();
	test_notes();
	test_bad_packs();
	test_includes();
	test_limits();
	test_files();
	unlink(file);
	return check_done();
}
