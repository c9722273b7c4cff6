# For kandil i18n review: what is asked at a terminal. Of that program are review, sound and decide;
# item is what is on the screen, as JSON.
# shellcheck shell=bash disable=SC2154,SC2016

# press PROMPT: key is what is pressed; at the end of the input it is empty, and that is false. A ^C
# that comes right before bash waits for input would wait with it: hence at most a second each time.
press() {
	local status=142
	printf '%s' "$1"
	while [ $status -gt 128 ]; do
		status=0
		read -rsn 1 -t 1 key || status=$?
	done
	echo
	return $status
}

# fits STATUS: false, and said, where the catalogue does not take the value of the item.
fits() {
	local check
	check=$(review '. + {$value, $status} | check_of($strings)' -c --arg status "$1" \
		--arg value "$value" --slurpfile strings "$strings" <<<"$item")
	[ -z "$check" ] || sound "$check" || { printf '  refused: %s\n' "$words" && return 1; }
}

# False when somebody else has decided the item since it was shown, and that is to stay.
overrules() {
	local theirs key=''
	theirs=$(review meanwhile -c <<<"$item")
	[ -n "$theirs" ] || return 0
	review '"  meanwhile \(decision | line)"' -r <<<"$theirs"
	until [[ $key == [ok] ]]; do
		press '  [o]verrule [k]eep ' || key=k
	done
	item=$(jq -c --argjson known "$theirs" '. + {$known}' <<<"$item")
	[ "$key" = o ]
}

# edit: value as typed, until the catalogue takes it; false where nothing is left of it.
edit() {
	while :; do
		# Readline has one line: a line break shows as what its key does.
		read -rei "${value//$'\n'/↵}" -p '  > ' value && [ -n "$value" ] || return 1
		value=${value//↵/$'\n'}
		! fits approved || return 0
	done
}

# consider: what the person does with the item; the status says where to go: 0 on, 1 back, 2 ends.
consider() {
	local key value status
	review shown -r <<<"$item"
	while :; do
		press '  [a]pprove [e]dit [f]uzzy [s]kip [b]ack [q]uit ' || key=q
		value=$(jq -r '.value + "."' <<<"$item") status=approved
		value=${value%.}
		case $key in
		a) [ -n "$value" ] || continue ;;
		e) ;;
		f) status=fuzzy ;;
		s) return 0 ;;
		b) return 1 ;;
		q) return 2 ;;
		*) continue ;;
		esac
		overrules || return 0
		if [ "$key" != e ]; then
			fits $status || continue
		else
			edit || continue
			overrules || return 0
		fi
		decide "$(review '. + {$value, $status} | patch(replaceable(.known; .translation))' -c \
			--arg status $status --arg value "$value" <<<"$item")" || return 2
		return 0
	done
}

ask_person() {
	local item at=0 before=() go
	review items -c "$strings" >"$scratch/items"
	item=$(review 'next(0)' -cn)
	while [ -n "$item" ]; do
		at=$(jq .at <<<"$item") go=0
		consider || go=$?
		[ $go != 2 ] || break
		if [ $go = 0 ]; then
			before+=("$at")
			item=$(review "next($at + 1)" -cn)
		elif [ ${#before[@]} -gt 0 ]; then
			item=$(review "item(${before[-1]})" -cn)
			unset 'before[-1]'
		fi
	done
}
