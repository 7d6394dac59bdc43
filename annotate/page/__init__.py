"""The annotation page: a web server in one process."""
