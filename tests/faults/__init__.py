"""The promises, with something broken on purpose: processes, the API server, the vendors."""
