"""`make monitoring`: writes what is made from something else."""

from tests.monitoring.made import write

if __name__ == "__main__":
    write()
