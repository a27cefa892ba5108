"""The wall board: a consumer of the output topics, a web server, and a page."""
