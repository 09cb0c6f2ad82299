"""`make monitoring` writes what is made from something else; `make picture` draws the dashboard."""

import sys

from tests.monitoring.made import write
from tests.monitoring.picture import draw
from tests.programs import say_aloud

if __name__ == "__main__":
    if sys.argv[1:] == ["picture"]:
        print(draw(say_aloud))
    else:
        write()
