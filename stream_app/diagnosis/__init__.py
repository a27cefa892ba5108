"""What is wrong with an installation, in words, with what to do about each thing."""
