#include <libintl.h>
#define _(text) gettext(text)
#define N_(text) text

/* printf(_("commented out")); */
static const char *const names[] = {N_("January"), N_("February")};

int
main(void)
{
	printf(_("Hello, %s!\n"), name);
	printf(ngettext("%d file was removed", "%d files were {removed}", n), n);
	puts(_("A long text "
	       "in two literals\t\x41\101"));
	label(C_("menu", "Open"), pgettext("verb", "Open"));
	warn(dgettext("domain", "From another domain"));
	log_debug("not translated");
	quote('"', _("after a character"));
	puts(my_gettext("not ours"));
	puts("_(\"in a string\")");
	puts(_(variable));
}
