from django.utils.translation import gettext as _, ngettext, pgettext_lazy

# _("commented out")
title = _("Orders of {name}").format(name=user.name)
text = _("""Several
lines""")
count = ngettext("%(n)d order", '%(n)d orders', n) % {"n": n}
month = pgettext_lazy("month name", "May")
joined = _("one " 'two' "three")
raw = r"_('not this')"
log.info("not translated")
other = obj._("method")
