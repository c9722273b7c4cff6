<?php echo 'Shown'; _e('not any more');
