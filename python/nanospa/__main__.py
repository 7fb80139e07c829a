"""``python -m nanospa``."""

from nanospa.cli import main

if __name__ == "__main__":
    main()
