@A('x') const kT = 'Hi ' r'a\b' """c"""; // 'no'
f(int n, {String t = 'D e'}) { show('Oops $t'); Text(n == 1 ? 'item' : '$n items'.trim());
return A(x: 'a${b ? 'C d' : "e ${f('g')}"}', validator: (v) => 'Bad one', m: {'k': 'Val ue'}[x]); }
String get title => switch (x) { 1 => 'One', _ => 'Two' }; /* /* */ */ throw E('F g ${x}(s)');
