"""`python -m schild` is the command `schild`."""

from schild.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
