"""How the brokers let us in: secrets and certificates, a knock that says why it is refused, and the rights that are needed."""
