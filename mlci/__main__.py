"""`python -m mlci` is the `mlci` command."""

from mlci.cli import main

if __name__ == "__main__":
    main()
