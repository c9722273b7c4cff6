_kandil() {
	local cur=${COMP_WORDS[COMP_CWORD]} option='' name=${COMP_WORDS[0]##*/} words i
	local command=${name//-/ }

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] && continue
		[[ " $(_kandil_words "$command") " == *" ${COMP_WORDS[i]} "* ]] || break
		command+=" ${COMP_WORDS[i]}"
	done
	# bash takes --name=value for three words.
	if [[ $cur == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]} cur=
	elif ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ " $(_kandil_options "$command") " == *" ${COMP_WORDS[COMP_CWORD - 1]}= "* ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi
	if [[ $option ]]; then
		words=$(_kandil_choices "$command $option")
	elif [[ $cur == -* ]]; then
		words=$(_kandil_options "$command")
	else
		words=$(_kandil_words "$command")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	if [[ ${#COMPREPLY[@]} == 0 && $cur != -* ]] &&
		[[ ! $option || $(_kandil_files "$command $option") ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}
# shellcheck disable=SC2046 # a list of names
complete -o filenames -F _kandil kandil $(compgen -c kandil- | sort -u)
