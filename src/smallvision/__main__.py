"""`python -m smallvision`."""

from smallvision.cli.main import main

main()
