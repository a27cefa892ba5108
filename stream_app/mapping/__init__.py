"""Source mapping: messages in the shape of another system become events of the input contract."""
