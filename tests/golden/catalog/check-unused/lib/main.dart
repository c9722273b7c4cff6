Text(l10n.used); AppLocalizations.of(context)!
    .called(1); final onlyString = 'onlyString';
