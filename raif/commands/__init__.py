"""Groups of commands that `raif` mounts."""
