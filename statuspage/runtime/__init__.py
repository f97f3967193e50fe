"""The processes: web server, worker, supervisor, and the commands of an operator."""
