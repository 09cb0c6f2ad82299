"""Pure decisions: (resource, observation, now) -> what to write, what to call. No I/O, no clock of its own."""
