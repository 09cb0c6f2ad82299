"""The image: what its recipe promises; and `check_built.py`, apart from `make test`, builds it and starts it."""
