"""A long randomised run: everything breaks at once, again and again, and in the end the books must balance."""
