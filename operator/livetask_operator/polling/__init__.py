"""When to ask: schedule, quotas, back-off. Time comes in from outside."""
