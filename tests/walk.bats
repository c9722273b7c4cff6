#!/usr/bin/env bats
# Walking where permissions and links matter, through kandil-extract.

load lib/common

setup_tree() {
	mkdir -p lib/deep lib/locked
	echo "f() => Text('One');" >lib/a.dart
	echo "f() => Text('Two');" >lib/deep/b.dart
	echo "f() => Text('Three');" >lib/locked/c.dart
}

values() {
	grep -o '"value":"[^"]*"' | cut -d'"' -f4
}

@test "a folder without permission is reported, skipped, and remembered" {
	[ "$(id -u)" -ne 0 ] || skip "permissions do not bind root"
	setup_tree
	chmod 000 lib/locked
	run --separate-stderr kandil-extract lib
	chmod 700 lib/locked
	[ "$status" -eq 3 ]
	[[ $stderr == *"lib/locked"* ]]
	[ "$(values <<<"$output")" = $'One\nTwo' ]
}

@test "a link is not followed, into the tree or out of it" {
	setup_tree
	mkdir outside
	echo "f() => Text('Outside');" >outside/x.dart
	ln -s ../outside lib/out
	ln -s ../outside/x.dart lib/x.dart
	ln -s .. lib/loop
	run -0 kandil-extract lib
	[ "$(values <<<"$output")" = $'One\nTwo\nThree' ]
}

@test "an operand that is a link is followed" {
	setup_tree
	ln -s lib link
	run -0 kandil-extract link
	[ "$(values <<<"$output")" = $'One\nTwo\nThree' ]
}

@test "a fifo in the tree does not hang the walk" {
	setup_tree
	mkfifo lib/fifo.dart
	run -0 timeout 60 kandil-extract lib
	[ "$(values <<<"$output")" = $'One\nTwo\nThree' ]
}

@test "twenty thousand files are walked in flat memory" {
	! sanitized || skip "sanitizers take memory of their own"
	mkdir -p t/{a..j}/{a..j}
	for folder in t/*/*; do (cd "$folder" && seq -f 'f%g.txt' 200 | xargs touch); done
	echo "f() => Text('One');" >t/e/e/a.dart
	run -0 bash -c 'ulimit -v 200000; kandil-extract t'
	[ "$(values <<<"$output")" = One ]
}
