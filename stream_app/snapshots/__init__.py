"""The current contents of a compacted output topic, read once, and the choice of rows to show."""
