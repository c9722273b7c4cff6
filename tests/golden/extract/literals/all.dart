import 'dart:io';
// 'comment' /* "comment" */
var a = 'é' r'\n$b' + """
  first line dropped
""";
var b = '${c ? 'd' : "e $f"} \u{1F600}';
var g = '''
h''' 'i'; /* nested /* 'j' */ 'k' */
