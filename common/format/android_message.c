/* Records as Android has them. */
#include "common/format/android_message.h"

#include "common/format/android.h"

int
android_message_of(const struct catalog_change *change, struct slice text, struct slice locale,
    struct slice had, struct arena *arena, struct android_message *w, struct err *e)
{
	struct forms source;

	w->markup = ANDROID_NO_MARKUP;
	if (printf_arguments_of(change->source, change->format, change->placeholders, had,
		PRINTF_ANDROID, arena, &w->args, e) < 0 ||
	    printf_split(change->source, change->format, S("en"), &w->args, arena, &source, e) <
		0 ||
	    printf_split(text, change->format, locale, &w->args, arena, &w->forms, e) < 0)
		return -1;
	w->plural = source.plural;
	if (w->forms.plural && !w->plural)
		return err_set(e, "cannot_say", "it is a plural and its source is none");
	return 0;
}

bool
android_is_unformatted(const struct android_message *w)
{
	struct slice text = w->forms.text[PLURAL_OTHER];
	size_t count = 0;

	for (size_t i = 0; i < text.len && w->args.n == 0 && !w->plural; i++) {
		if (text.ptr[i] != '%')
			continue;
		if (i + 1 < text.len && text.ptr[i + 1] == '%')
			i++;
		else
			count++;
	}
	return count > 1;
}

int
android_say(const struct catalog_change *change, struct slice text, struct slice locale,
    struct buf *out, struct err *e)
{
	const char *fault = android_name_fault(change->key);
	struct arena arena = {0};
	struct android_message w;
	struct err why = {0};
	int rc;

	if (fault)
		return err_set(e, "cannot_say", "Android refuses the name: it %s", fault);
	if (memchr(text.ptr, '\0', text.len))
		return err_set(e, "cannot_say", "Android has no U+0000");
	rc = android_message_of(change, text, locale, S(""), &arena, &w, &why);
	if (rc < 0)
		err_set(e, "cannot_say", "%s", why.text);
	else
		rc = printf_say(change, text, locale, PRINTF_ANDROID, out, e);
	arena_free(&arena);
	return rc;
}
