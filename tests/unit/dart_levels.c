/* Which level a literal gets for where it stands, and the message that it makes. */
#include "tests/unit/check.h"
#include "tools/extract/dart.h"

#include <stdio.h>

static struct words *words;
static struct dart *dart;

/* "level reason: value" for each string, separated by " | ". */
static void
collect(const struct source *source, const struct found *f, void *state)
{
	static const char *const levels[] = {"none", "core", "likely", "all"};
	struct buf *out = state;

	(void)source;
	if (out->len > 0)
		buf_adds(out, " | ");
	buf_addf(out, "%s %.*s: %.*s", levels[f->level], (int)f->reason.len, f->reason.ptr,
	    (int)f->value.len, f->value.ptr);
	if (f->plural.len > 0)
		buf_addf(out, " => %.*s", (int)f->plural.len, f->plural.ptr);
}

/* Learns from the text first, as a run over a project does. */
static void
scan(const char *text, struct buf *out)
{
	struct source source = {"a.dart", slice(text)};
	struct names *names = names_new();
	struct buf facts = {0};

	buf_reset(out);
	buf_adds(out, "");
	dart_learn(dart, &source, &facts);
	names_add(names, buf_slice(&facts));
	names_resolve(names);
	CHECK(dart_scan(dart, &source, names, LEVEL_ALL, false, collect, out, NULL) == 0);
	buf_free(&facts);
	names_free(names);
}

#define FINDS(text, want)                  \
	do {                               \
		struct buf out_ = {0};     \
		scan(text, &out_);         \
		CHECK_TEXT(out_.ptr, want); \
		buf_free(&out_);           \
	} while (0)

static void
core(void)
{
	FINDS("Text('Hi')", "core Text: Hi");
	FINDS("const m.Text('Hi', style: s)", "core Text: Hi");
	FINDS("Text(\n// first\n'a' 'b')", "core Text: ab");
	FINDS("Text(('a' + x).trim())", "core Text: a");
	FINDS("Text(c ? 'a' : d ? 'b' : 'cc')",
	    "core Text: a | core Text: b | core Text: cc");
	FINDS("Text(x ?? 'none')", "core Text: none");
	FINDS("Text(switch (x) { A() => 'one', 'two' => y, _ => 'three' })",
	    "core Text: one | core Text: three");
	FINDS("Text('save'.toUpperCase().padLeft(3, ' '))", "core Text: save");
	FINDS("Text('Key'.tr()) + Text('key'.i18n) + Text('Key'.tr(args: [a]))", "");
	FINDS("const kName = 'A name'.tr;", "");
	FINDS("TextSpan(text: 'a b', children: [TextSpan(text: 'c')])",
	    "core TextSpan.text: a b | core TextSpan.text: c");
	FINDS("Foo(tooltip: 'Add')", "core Foo.tooltip: Add");
	FINDS("foo(tooltip: 'add')", "");
	FINDS("InputDecoration.collapsed(hintText: 'Search')",
	    "core InputDecoration.hintText: Search");
	FINDS("Get.snackbar('One', 'Two', other: 'three')",
	    "core Get.snackbar: One | core Get.snackbar: Two");
	FINDS("showDatePicker(context: c, helpText: 'Pick')",
	    "core showDatePicker.helpText: Pick");
	FINDS("Text<int>('a')", "core Text: a");
	/* A core position stays core whatever the text looks like. */
	FINDS("Text('https://a.b') + Text('snake_case')",
	    "core Text: https://a.b | core Text: snake_case");
	/* No letter: nothing to translate. */
	FINDS("Text('$a / 3') + Text('\xe2\x80\xa2')", "");
}

static void
likely(void)
{
	FINDS("MyCard(subtitle: 'Sub title')", "likely MyCard.subtitle: Sub title");
	FINDS("BigButton('Go on')", "likely BigButton: Go on");
	FINDS("T(validator: (v) => v == null ? 'Enter it' : null)", "likely validator: Enter it");
	FINDS("T(validator: (v) { if (v) { return 'Enter it'; } return null; })",
	    "likely validator: Enter it");
	FINDS("const kHi = 'Hi you'; f() => Text(kHi);", "likely value of kHi in Text: Hi you");
	FINDS("String name() { return 'A name'; } f() => Text(name());",
	    "likely return of name in Text: A name");
	FINDS("f() { oops(c, 'So bad'); } oops(BuildContext c, String m) { x(Text(m)); }",
	    "likely helper oops: So bad");
	FINDS("f() { one('So bad'); } one(m) => two(text: m); two({String text}) { Text(text); }",
	    "likely helper one: So bad");
	FINDS("Text('${n > 0 ? 'many' : 'none'} left')",
	    "core Text: {value} left | likely branch in an interpolation: many | "
	    "likely branch in an interpolation: none");
	FINDS("String get title => 'My title';", "likely return of title: My title");
	FINDS("showToast('It works')", "likely helper showToast: It works");
}

static void
all(void)
{
	FINDS("x = 'Some text';", "all prose: assignment: Some text");
	FINDS("f() { return 'Some text'; }", "all prose: return: Some text");
	FINDS("m = {'Key One': 'Some text'};", "all prose: map value: Some text");
	FINDS("m = ['Some text'];", "all prose: list element: Some text");
	FINDS("throw Exception('Some text');", "all prose: thrown: Some text");
	FINDS("foo('Some text');", "all prose: foo.0: Some text");
	FINDS("x = '\xe4\xbd\xa0\xe5\xa5\xbd';", "all prose: assignment: \xe4\xbd\xa0\xe5\xa5\xbd");
}

static void
never(void)
{
	FINDS("import 'package:Some Text'; export 'A b'; part 'A b'; part of 'A b';", "");
	FINDS("@Foo('Some text') class A {}", "");
	FINDS("assert(x, 'Some text'); if (x == 'Some text') {}", "");
	FINDS("switch (x) { case 'Some text': break; } y = x['Some text'];", "");
	FINDS("print('Some text'); log.warning('Some text ${f('More text')}');", "");
	FINDS("debugPrint(x ? 'Some text' : 'More text'); _logger.severe(['Some text']);", "");
	FINDS("Key('Some text'); Navigator.pushNamed(c, 'Some Text'); MyCard(heroTag: 'A b');", "");
	FINDS("prefs.setString('Some key', 'Some text'); db.rawQuery('SELECT a FROM b');", "");
	FINDS("Uri.parse('Some text'); Image.asset('Some text.png'); RegExp('Some text');", "");
	FINDS("DateFormat('EEE d MMM'); x.contains('Some text'); jsonDecode('Some text');", "");
	FINDS("test('Some text', () {}); expect(a, b, reason: 'Some text');", "");
	FINDS("Some.thing(title: 'https://some.where/x', label: 'some_key')", "");
}

static void
shapes(void)
{
	static const char *const machine[] = {"camelCase", "snake_case", "Snake_Case",
		"kebab-case", "CONSTANT_CASE", "a.dotted.name", "text/html", "assets/a b.png",
		"550e8400-e29b-41d4-a716-446655440000", "A", "12 34", "https://example.org/A",
		"mailto:A", "SELECT * FROM a", "INSERT INTO a", "CREATE TABLE a", "yyyy-MM-dd HH:mm",
		"#FFAABB", "lower", "GET", "text/html; charset=utf-8", "package:a/B.dart", NULL};
	static const char *const prose[] = {"Capital", "two words", "Loading...", "wait\xe2\x80\xa6",
		"OK", "Select a file", "GitHub", "Update your app", "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85",
		"E-mail", "Yes/No", "with trailing ", "Visit https://example.org now", NULL};

	for (size_t i = 0; machine[i] != NULL; i++) {
		struct buf text = {0}, out = {0};
		buf_addf(&text, "x = '%s';", machine[i]);
		scan(text.ptr, &out);
		CHECK_TEXT(out.ptr, "");
		buf_free(&text);
		buf_free(&out);
	}
	for (size_t i = 0; prose[i] != NULL; i++) {
		struct buf text = {0}, out = {0}, want = {0};
		buf_addf(&text, "x = '%s';", prose[i]);
		buf_addf(&want, "all prose: assignment: %s", prose[i]);
		scan(text.ptr, &out);
		CHECK_TEXT(out.ptr, want.ptr);
		buf_free(&text);
		buf_free(&out);
		buf_free(&want);
	}
}

static void
messages(void)
{
	FINDS("Text('Hello $name, you have ${n} items')",
	    "core Text: Hello {name}, you have {n} items => "
	    "{n, plural, one{Hello {name}, you have {n} item} other{Hello {name}, you have {n} items}}");
	FINDS("Text('${a.user.name} and ${b.user.name} and ${a.user.name}')",
	    "core Text: {name} and {name2} and {name}");
	FINDS("Text('It\\'s {x}')", "core Text: It's '{'x'}'");
	FINDS("Text('a\\'$b')", "core Text: a''{b}");
	FINDS("Text('${x + y} of it')", "core Text: {y} of it");
}

static void
plurals(void)
{
	FINDS("Text(n == 1 ? 'item' : 'items')",
	    "core Text: item | core Text: items => {n, plural, one{item} other{items}}");
	FINDS("Text(n != 1 ? '$n items' : 'One item')",
	    "core Text: {n} items => {n, plural, one{{n} item} other{{n} items}} | "
	    "core Text: One item => {n, plural, one{One item} other{{n} items}}");
	FINDS("Text('$n item${n == 1 ? '' : 's'} left')",
	    "core Text: {n} item{value} left => "
	    "{n, plural, one{{n} item left} other{{n} items left}}");
	FINDS("Text('${list.length} file(s)')",
	    "core Text: {length} file(s) => "
	    "{length, plural, one{{length} file} other{{length} files}}");
	FINDS("Text('$count new entries are here')",
	    "core Text: {count} new entries are here => "
	    "{count, plural, one{{count} new entry is here} other{{count} new entries are here}}");
	FINDS("f(String n) => Text('$n items')", "core Text: {n} items");
	FINDS("f(int x) => Text('$x boxes')",
	    "core Text: {x} boxes => {x, plural, one{{x} box} other{{x} boxes}}");
	FINDS("Text(vote == 1 ? 'Upvoted' : 'Upvote')", "core Text: Upvoted | core Text: Upvote");
	FINDS("Text('${formatNumber(n)} items')", "core Text: {formatNumber} items");
	FINDS("Text('$n is less')", "core Text: {n} is less");
}

/* A message has at most 128 interpolations; one with more is a fault, not a loss. */
static void
too_many(void)
{
	struct buf text = {0}, out = {0};
	struct err e = {0};

	buf_adds(&text, "Text('First') + Text('");
	for (int i = 0; i < 129; i++)
		buf_addf(&text, "$a%d ", i);
	buf_adds(&text, "many');");
	struct source source = {"a.dart", buf_slice(&text)};
	CHECK(dart_scan(dart, &source, NULL, LEVEL_CORE, false, collect, &out, &e) == -1);
	CHECK_TEXT(e.code, "too_large");
	CHECK_TEXT(out.ptr, "core Text: First");
	buf_free(&text);
	buf_free(&out);
}

int
main(void)
{
	struct err e = {0};

	words = words_load(&e);
	if (words == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	dart = dart_new(words);
	core();
	likely();
	all();
	never();
	shapes();
	messages();
	plurals();
	too_many();
	dart_free(dart);
	words_free(words);
	return check_done();
}
