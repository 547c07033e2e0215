"""`python -m raif` is the `raif` command."""

from raif.cli import main

main()
