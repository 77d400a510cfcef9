"""``python -m negatoscope`` is the command ``negatoscope``."""

from negatoscope.cli import main

if __name__ == "__main__":
    main()
