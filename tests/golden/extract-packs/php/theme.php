<?php
// __( 'commented out', 'theme' );
echo __( 'Read more', 'theme' );
_e( "It's {$here} \"quoted\"", 'theme' );
echo _x( 'Post', 'noun', 'theme' );
printf( _n( '%d comment', '%d comments', $n, 'theme' ), $n );
echo _nx( '%d car', '%d cars', $n, 'railway', 'theme' );
echo gettext('It\'s ' . 'joined');
# _("no")
$x = '_e("in a string")';
