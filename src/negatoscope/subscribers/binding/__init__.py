"""Studies that arrive are bound to the procedure they were made for."""
