"""Dead letters as an operator meets them: what they say, what would mend them, and back into their input."""
