"""`make demo`: a real control plane, a simulated vendor cloud and the operator, shown at work."""
