"""Tests of the vendors' clients: against vectors, the vendors' SDKs, ill-behaved sockets and the simulator."""
