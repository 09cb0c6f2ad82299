"""What the operator costs, beside a bare loop that makes the same calls and beside plain kopf: `make bench`."""
