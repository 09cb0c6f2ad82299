"""What a test or the demo plays on: the simulated cloud and the operator as processes, and a tenant of both."""
