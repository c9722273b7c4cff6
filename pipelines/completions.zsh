_kandil() {
	local cur=${words[CURRENT]} command=${${words[1]:t}//-/ } word option
	local -i i

	for ((i = 2; i < CURRENT; i++)); do
		word=${words[i]}
		[[ $word == -* ]] && continue
		[[ " $(_kandil_words $command) " == *" $word "* ]] || break
		command+=" $word"
	done
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*}
		compset -P '*='
		compadd -- ${=$(_kandil_choices "$command $option")} && return
		[[ -z $(_kandil_files "$command $option") ]] || _files
	elif [[ $cur == -* ]]; then
		compadd -S '' -- ${(M)${=$(_kandil_options $command)}:#*=}
		compadd -- ${${=$(_kandil_options $command)}:#*=}
	else
		compadd -- ${=$(_kandil_words $command)}
		_files
	fi
}
_kandil "$@"
