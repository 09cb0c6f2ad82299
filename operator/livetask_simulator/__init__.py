"""Simulated vendor clouds: strict about signatures, quotas and parameters, and misbehaving on command.

A stand-in for anyone who writes against these APIs; see README.md. It shares no code with livetask_operator, so that a
mistake about a vendor's protocol cannot be made once and agree with itself.
"""
